-- One row per record of a personalized_instruction_by_lesson.csv file, whatever the version of its layout.
{{ config(enabled=is_used('iready')) }}

{% set passed = ['Passed', 'Not Passed'] %}
{% set yes_no = ['Y', 'N'] %}

with records as (
    {{ trimmed_records(source('raw_iready', 'lessons')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ iready_lesson_id() }} as record_key,
        {{ iready_lesson_id() }} as attempt_id,
        {{ own_record_key(iready_lesson_id()) }} as attempt_key,
        {{ text('Student ID') }} as student_id,
        {{ text('Last Name') }} as family_name,
        {{ text('First Name') }} as given_name,
        {{ text('Student Grade') }} as grade,
        {{ text('School') }} as school_name,
        {{ year('Academic Year') }} as data_year,
        {{ text('Subject') }} as subject,
        {{ text('Domain') }} as domain,
        {{ text('Lesson ID') }} as lesson_id,
        {{ text('Lesson Name') }} as lesson_name,
        {{ text('Lesson Level') }} as lesson_level,
        {{ text('Lesson Objective') }} as lesson_objective,
        {{ us_date('Completion Date') }} as completion_date,
        {{ local_instant('Completion Date') }} as event_at,
        {{ local_precision('Completion Date') }} as event_precision,
        {{ local_usable_at('Completion Date') }} as usable_at,
        {{ integer('Total Time on Lesson (min)') }} as total_minutes,
        {{ integer('Score') }} as score_percent,
        {{ text('Passed or Not Passed') }} as passed_code,
        {{ text('Teacher-Assigned Lesson') }} as teacher_assigned_code,
        false as is_deleted,
        cast(null as timestamp) as modified_at,
        {{ violations(local_event_checks('Completion Date') + [
            required('Student ID'),
            required('Lesson ID'),
            required('Completion Date'),
            readable('Completion Date', 'us_date'),
            required('Total Time on Lesson (min)'),
            readable('Total Time on Lesson (min)', 'integer'),
            required('Score'),
            readable('Score', 'integer'),
            readable('Academic Year', 'year'),
            known('Passed or Not Passed', passed),
            known('Teacher-Assigned Lesson', yes_no),
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    *,
    {{ is_rejected() }} as is_rejected,
    {{ content_hash() }} as content_hash
from typed

-- One row per record of the report Outcome Results of Canvas, whatever the version of its layout.
{{ config(enabled=is_used('canvas')) }}

{% set kinds = ['quiz', 'assignment'] %}
{% set no_yes = ['0', '1'] %}
{% set measured = ['attempt', 'submission score', 'outcome score', 'learning outcome points possible'] %}

with records as (
    {{ trimmed_records(source('raw_canvas', 'outcome_results')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ canvas_result_id() }} as record_key,
        {{ canvas_result_id() }} as result_id,
        {{ own_record_key(canvas_result_id()) }} as result_key,
        {{ text('student id') }} as student_id,
        {{ text('student sis id') }} as student_sis_id,
        {{ text('student name') }} as student_name,
        {{ text('assessment id') }} as assessment_id,
        {{ text('assessment type') }} as assessment_type,
        {{ text('assessment title') }} as assessment_title,
        {{ text('assessment question id') }} as question_id,
        {{ text('assessment question') }} as question_title,
        {{ instant('submission date') }} as submitted_at,
        {{ number('submission score') }} as submission_score,
        {{ text('learning outcome id') }} as outcome_id,
        {{ text('learning outcome name') }} as outcome_name,
        {{ text('learning outcome friendly name') }} as outcome_friendly_name,
        {{ integer('attempt') }} as attempt,
        {{ number('outcome score') }} as outcome_score,
        {{ number('learning outcome points possible') }} as points_possible,
        {{ number('learning outcome mastery score') }} as mastery_points,
        {{ text('learning outcome mastered') }} as mastered_code,
        {{ text('learning outcome rating') }} as rating,
        {{ number('learning outcome rating points') }} as rating_points,
        {{ text('course id') }} as course_id,
        {{ text('course sis id') }} as course_sis_id,
        {{ text('course name') }} as course_name,
        {{ text('assignment url') }} as assignment_url,
        {{ precision('submission date') }} as event_precision,
        {{ usable_at('submission date') }} as usable_at,
        {{ hash_of_columns(measured) }} as result_hash,
        {{ hash_of_columns(canvas_flags()) }} as flag_hash,
        false as is_deleted,
        cast(null as timestamp) as modified_at,
        {{ violations(event_checks('submission date') + [
            required('student id'),
            required('assessment id'),
            required('assessment type'),
            required('learning outcome id'),
            undated('submission date', 'outcome score'),
            readable('submission date', 'instant'),
            readable('submission score', 'number'),
            readable('attempt', 'integer'),
            readable('outcome score', 'number'),
            readable('learning outcome points possible', 'number'),
            readable('learning outcome mastery score', 'number'),
            readable('learning outcome rating points', 'number'),
            known('assessment type', kinds),
            known('learning outcome mastered', no_yes),
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    *,
    {{ is_rejected() }} as is_rejected,
    {{ content_hash() }} as content_hash
from typed

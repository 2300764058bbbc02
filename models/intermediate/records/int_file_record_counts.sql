-- One row per visible file of a staged feed: its records by verdict, and those that are not simply accepted.
{{ config(materialized='incremental', unique_key='file_id') }}

{% set feeds_of_families = {
    'oneroster': [
        'orgs', 'academic_sessions', 'courses', 'classes', 'users', 'roles', 'enrollments', 'categories',
        'line_items', 'results', 'line_item_learning_objective_ids', 'result_learning_objective_ids',
    ],
    'overrides': ['mastery_overrides'],
    'nwea': ['assessment_results', 'students'],
    'iready': ['diagnostic_ela', 'diagnostic_math', 'lessons'],
    'star': ['overall', 'standards', 'skill_area'],
    'canvas': ['outcome_results', 'student_competency', 'gradebook', 'users', 'courses', 'sections', 'enrollments'],
    'state': ['co_cmas', 'in_ilearn'],
} %}

with records as (
    {%- for feed in read_feeds(feeds_of_families) %}
    {{ staged_records(feed.split('/')[0], [feed.split('/')[1]]) }}
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

repeated as (
    {{ repeated_keys('records') }}
),

judged as (
    select
        records.*,
        case
            when records.is_rejected or repeated.is_conflict then 'rejected'
            when records.record_number > repeated.first_record_number then 'duplicate'
            else 'accepted'
        end as verdict,
        case when not records.is_rejected then repeated.is_conflict end as is_conflict
    from records
    left join repeated on records.file_id = repeated.file_id and records.record_key = repeated.record_key
),

named as (
    select
        file_id,
        record_number,
        line_number,
        record_key,
        verdict,
        case
            when is_conflict
                then [{{ record_violation('DUPLICATE_KEY_CONFLICT', true) }}]
            when verdict = 'duplicate'
                then [{{ record_violation('DUPLICATE_RECORD', false) }}]
            else violations
        end as violations
    from judged
),

final as (
    select
        file_id,
        count(*) as stored_count,
        count(case when verdict = 'rejected' then 1 end) as rejected_count,
        count(case when verdict = 'duplicate' then 1 end) as duplicate_count,
        count(case when verdict = 'accepted' then 1 end) as accepted_count,
        {{ sorted_rows(
            ['record_number', 'line_number', 'record_key', 'verdict', 'violations'], 'len(violations) > 0'
        ) }} as problems
    from named
    group by file_id
)

select * from final

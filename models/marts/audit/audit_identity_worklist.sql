-- One row per student as a source knows one whose results wait: whom a person has to find or refuse.
{{ config(enabled=has_assessments()) }}

with links as (
    select * from {{ ref('int_student_links') }}
    where not is_usable and not is_by_hand
),

waiting as (
    select
        source_student_key,
        count(*) as waiting_count,
        min(file_id) as file_id,
        max(event_at) as last_event_at
    from {{ ref('fct_assessment_result') }}
    where is_active
    group by source_student_key
),

final as (
    select
        links.source_id,
        links.source_student_key,
        links.outcome,
        links.found_student_key,
        coalesce(waiting.waiting_count, 0) as waiting_count,
        waiting.last_event_at,
        waiting.file_id
    from links
    left join waiting on links.source_student_key = waiting.source_student_key
)

select * from final

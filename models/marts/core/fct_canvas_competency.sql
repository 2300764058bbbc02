-- One row per source, login, assignment and outcome: what is assessed in Canvas, and the result where there is one.
{{ config(enabled=is_used('canvas')) }}

with results as (
    {{ with_presence(
        ref('stg_canvas__student_competency'), source('raw_canvas', 'student_competency'),
        'canvas/student_competency', 'competency_id', canvas_competency_id()
    ) }}
),

-- What has no date counts from the first export on that has it as it is now.
first_seen as (
    select
        competency_key,
        result_hash,
        min(exported_at) as first_seen_at
    from {{ ref('base_canvas__student_competency') }}
    where submitted_at is null and not is_rejected
    group by competency_key, result_hash
)

select
    results.* exclude (event_precision),
    coalesce(results.submitted_at, first_seen.first_seen_at) as event_at,
    coalesce(results.event_precision, 'date') as event_precision,
    cast([] as varchar[]) as unresolved
from results
left join first_seen using (competency_key, result_hash)

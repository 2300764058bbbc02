-- One row per source, login, outcome, quiz or assignment, and question: the result in Canvas.
{{ config(enabled=is_used('canvas')) }}

with results as (
    {{ with_presence(
        ref('stg_canvas__outcome_results'), source('raw_canvas', 'outcome_results'),
        'canvas/outcome_results', 'result_id', canvas_result_id()
    ) }}
),

-- What has no date counts from the first export on that has it as it is now.
first_seen as (
    select
        result_key,
        result_hash,
        min(exported_at) as first_seen_at
    from {{ ref('base_canvas__outcome_results') }}
    where submitted_at is null and not is_rejected
    group by result_key, result_hash
)

select
    results.* exclude (event_precision),
    coalesce(results.submitted_at, first_seen.first_seen_at) as event_at,
    coalesce(results.event_precision, 'date') as event_precision,
    cast([] as varchar[]) as unresolved
from results
left join first_seen using (result_key, result_hash)

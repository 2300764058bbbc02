-- One row per source, student and assignment: the score in the gradebook of Canvas.
{{ config(enabled=is_used('canvas')) }}

with scores as (
    {{ with_presence(
        ref('stg_canvas__gradebook'), source('raw_canvas', 'gradebook'),
        'canvas/gradebook', 'score_id', canvas_score_id()
    ) }}
),

-- A gradebook says no time: a score counts from the first export on that has it as it is now.
first_seen as (
    select
        score_key,
        result_hash,
        min(exported_at) as event_at
    from {{ ref('base_canvas__gradebook') }}
    where not is_rejected
    group by score_key, result_hash
)

select
    scores.*,
    first_seen.event_at,
    'date' as event_precision,
    scores.exported_at as usable_at,
    cast([] as varchar[]) as unresolved
from scores
left join first_seen using (score_key, result_hash)

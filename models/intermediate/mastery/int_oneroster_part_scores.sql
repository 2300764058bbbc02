-- One row per source and result that has scores of its own for single objectives.
with scores as (
    select * from {{ ref('stg_oneroster__result_learning_objective_ids') }}
),

removed as (
    select * from {{ ref('int_records_removed') }}
    where feed = 'oneroster/result_learning_objective_ids'
),

ranked as (
    select
        scores.source_id,
        scores.result_id,
        scores.objective_id,
        scores.score,
        row_number() over (
            partition by scores.source_id, scores.result_id, scores.objective_id
            order by scores.version_at desc, scores.exported_at desc, scores.result_objective_id asc
        ) as recency
    from scores
    left join removed
        on scores.source_id = removed.source_id and scores.result_objective_id = removed.record_key
    where removed.record_key is null
),

final as (
    select
        source_id,
        result_id,
        array_agg(objective_id order by objective_id) as objective_ids,
        array_agg(score order by objective_id) as scores
    from ranked
    where recency = 1
    group by source_id, result_id
)

select * from final

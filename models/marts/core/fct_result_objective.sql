-- One row per source and score of a result for one objective.
with part_scores as (
    select * from {{ ref('stg_oneroster__result_learning_objective_ids') }}
),

results as (
    select * from {{ ref('stg_oneroster__results') }}
),

removed as (
    select * from {{ ref('int_records_removed') }}
    where feed = 'oneroster/result_learning_objective_ids'
),

final as (
    select
        part_scores.source_id,
        part_scores.result_objective_id,
        part_scores.result_id,
        part_scores.objective_source,
        part_scores.objective_id,
        part_scores.score,
        part_scores.text_score,
        removed.record_key is null as is_active,
        {{ columns_where({
            'result_id': 'results.result_id is null',
        }) }} as awaiting,
        part_scores.modified_at,
        part_scores.exported_at,
        part_scores.landed_at,
        part_scores.visible_at,
        part_scores.file_id,
        part_scores.record_number,
        part_scores.line_number
    from part_scores
    left join removed
        on
            part_scores.source_id = removed.source_id
            and part_scores.result_objective_id = removed.record_key
    left join results
        on
            part_scores.source_id = results.source_id
            and part_scores.result_id = results.result_id
)

select * from final

-- One row per source and score of a result for one objective.
with objective_scores as (
    {{ with_presence(
        ref('stg_oneroster__result_learning_objective_ids'),
        source('raw_oneroster', 'result_learning_objective_ids'),
        'oneroster/result_learning_objective_ids', 'result_objective_id'
    ) }}
),

results as (
    select result_key from {{ ref('stg_oneroster__results') }}
),

final as (
    select
        objective_scores.*,
        {{ columns_where({'result_id': 'results.result_key is null'}) }} as unresolved
    from objective_scores
    left join results on objective_scores.result_key = results.result_key
)

select * from final

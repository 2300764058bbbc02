-- One row per source and score of a result for one objective: its newest accepted version.
{{ config(unique_key='result_objective_key') }}

with records as (
    select * from {{ ref('base_oneroster__result_learning_objective_ids') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'result_objective_key') }}
)

select * from newest

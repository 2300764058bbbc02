-- One row per source and score of a result for one objective: its newest accepted version.
{{ config(unique_key='result_objective_key') }}

with newest as (
    {{ newest_accepted(ref('base_oneroster__result_learning_objective_ids'), 'result_objective_key') }}
)

select * from newest

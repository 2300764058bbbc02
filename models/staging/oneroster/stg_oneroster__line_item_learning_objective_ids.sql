-- One row per source and alignment of a line item: its newest accepted version.
{{ config(unique_key='line_item_objective_key') }}

with records as (
    select * from {{ ref('base_oneroster__line_item_learning_objective_ids') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'line_item_objective_key') }}
)

select * from newest

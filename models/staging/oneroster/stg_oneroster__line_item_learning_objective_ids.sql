-- One row per source and alignment of a line item: its newest accepted version.
{{ config(unique_key='line_item_objective_key') }}

with newest as (
    {{ newest_accepted(ref('base_oneroster__line_item_learning_objective_ids'), 'line_item_objective_key') }}
)

select * from newest

-- One row per source and line item: its newest accepted version.
{{ config(unique_key='line_item_key') }}

with records as (
    select * from {{ ref('base_oneroster__line_items') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'line_item_key') }}
)

select * from newest

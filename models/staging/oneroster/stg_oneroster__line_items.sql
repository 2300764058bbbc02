-- One row per source and line item: its newest accepted version.
{{ config(unique_key='line_item_key') }}

with newest as (
    {{ newest_accepted(ref('base_oneroster__line_items'), 'line_item_key') }}
)

select * from newest

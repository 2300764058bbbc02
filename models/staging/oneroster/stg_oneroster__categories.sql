-- One row per source and category: its newest accepted version.
{{ config(unique_key='category_key') }}

with newest as (
    {{ newest_accepted(ref('base_oneroster__categories'), 'category_key') }}
)

select * from newest

-- One row per source and category: its newest accepted version.
{{ config(unique_key='category_key') }}

with records as (
    select * from {{ ref('base_oneroster__categories') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'category_key') }}
)

select * from newest

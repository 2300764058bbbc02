-- One row per source and class: its newest accepted version.
{{ config(unique_key='class_key') }}

with records as (
    select * from {{ ref('base_oneroster__classes') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'class_key') }}
)

select * from newest

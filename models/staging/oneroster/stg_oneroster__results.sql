-- One row per source and result: its newest accepted version.
{{ config(unique_key='result_key') }}

with records as (
    select * from {{ ref('base_oneroster__results') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'result_key') }}
)

select * from newest

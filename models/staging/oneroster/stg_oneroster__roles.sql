-- One row per source and role: its newest accepted version.
{{ config(unique_key='role_key') }}

with records as (
    select * from {{ ref('base_oneroster__roles') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'role_key') }}
)

select * from newest

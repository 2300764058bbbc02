-- One row per source and org: its newest accepted version.
{{ config(unique_key='org_key') }}

with records as (
    select * from {{ ref('base_oneroster__orgs') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'org_key') }}
)

select * from newest

-- One row per source and [[ key_words ]]: its newest accepted version.
{{ config(
    materialized='incremental',
    schema='staging',
    unique_key='[[ name ]]_key',
    on_schema_change='fail',
    full_refresh=(none if target.name == 'cycle' else true)
) }}

with records as (
    select * from {{ ref('base_[[ family ]]__[[ name ]]') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ rollcall.newest_accepted('records', '[[ name ]]_key') }}
)

select * from newest

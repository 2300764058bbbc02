-- One row per source and test that a student of Colorado took: its newest accepted version.
{{ config(enabled=is_used('state'), unique_key='result_key') }}

with records as (
    select * from {{ ref('base_state__co_cmas') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'result_key') }}
)

select * from newest

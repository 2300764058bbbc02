-- One row per source and test that a student took: its newest accepted version.
{{ config(enabled=is_used('star'), unique_key='result_key') }}

with records as (
    select * from {{ ref('base_star__overall') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'result_key') }}
)

select * from newest

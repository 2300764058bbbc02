-- One row per source, test and standard: its newest accepted version.
{{ config(enabled=is_used('star'), unique_key='standard_result_key') }}

with records as (
    select * from {{ ref('base_star__standards') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'standard_result_key') }}
)

select * from newest

-- One row per source, student of Indiana and test: its newest accepted version.
{{ config(enabled=is_used('state'), unique_key='result_key') }}

with records as (
    select * from {{ ref('base_state__in_ilearn') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'result_key') }}
)

select * from newest

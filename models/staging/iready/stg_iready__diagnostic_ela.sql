-- One row per source, student and days of begin and end: its newest accepted version.
{{ config(enabled=is_used('iready'), unique_key='result_key') }}

with records as (
    select * from {{ ref('base_iready__diagnostic_ela') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'result_key') }}
)

select * from newest

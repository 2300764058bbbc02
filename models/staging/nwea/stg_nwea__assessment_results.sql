-- One row per source, student, test and start: its newest accepted version.
{{ config(enabled=is_used('nwea'), unique_key='result_key') }}

with records as (
    select * from {{ ref('base_nwea__assessment_results') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'result_key') }}
)

select * from newest

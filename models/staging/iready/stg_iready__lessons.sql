-- One row per source, student, lesson, day, time and score: its newest accepted version.
{{ config(enabled=is_used('iready'), unique_key='attempt_key') }}

with records as (
    select * from {{ ref('base_iready__lessons') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'attempt_key') }}
)

select * from newest

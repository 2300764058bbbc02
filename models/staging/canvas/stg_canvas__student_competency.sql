-- One row per source, login, assignment and outcome: its newest accepted version.
{{ config(enabled=is_used('canvas'), unique_key='competency_key') }}

with records as (
    select * from {{ ref('base_canvas__student_competency') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'competency_key') }}
)

select * from newest

-- One row per source and enrollment: its newest accepted version.
{{ config(enabled=is_used('canvas'), unique_key='enrollment_key') }}

with records as (
    select * from {{ ref('base_canvas__enrollments') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'enrollment_key') }}
)

select * from newest

-- One row per source and course: its newest accepted version.
{{ config(enabled=is_used('canvas'), unique_key='course_key') }}

with records as (
    select * from {{ ref('base_canvas__courses') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'course_key') }}
)

select * from newest

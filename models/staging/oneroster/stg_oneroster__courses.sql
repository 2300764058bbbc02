-- One row per source and course: its newest accepted version.
{{ config(unique_key='course_key') }}

with records as (
    select * from {{ ref('base_oneroster__courses') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'course_key') }}
)

select * from newest

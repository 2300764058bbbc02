-- One row per source and course: its newest accepted version.
{{ config(unique_key='course_key') }}

with newest as (
    {{ newest_accepted(ref('base_oneroster__courses'), 'course_key') }}
)

select * from newest

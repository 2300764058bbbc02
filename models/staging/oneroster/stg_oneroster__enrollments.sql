-- One row per source and enrollment: its newest accepted version.
{{ config(unique_key='enrollment_key') }}

with newest as (
    {{ newest_accepted(ref('base_oneroster__enrollments'), 'enrollment_key') }}
)

select * from newest

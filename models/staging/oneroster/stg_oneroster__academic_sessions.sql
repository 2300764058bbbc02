-- One row per source and term: its newest accepted version.
{{ config(unique_key='term_key') }}

with newest as (
    {{ newest_accepted(ref('base_oneroster__academic_sessions'), 'term_key') }}
)

select * from newest

-- One row per source and role: its newest accepted version.
{{ config(unique_key='role_key') }}

with newest as (
    {{ newest_accepted(ref('base_oneroster__roles'), 'role_key') }}
)

select * from newest

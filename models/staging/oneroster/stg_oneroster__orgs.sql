-- One row per source and org: its newest accepted version.
{{ config(unique_key='org_key') }}

with newest as (
    {{ newest_accepted(ref('base_oneroster__orgs'), 'org_key') }}
)

select * from newest

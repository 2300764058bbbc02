-- One row per source and user: its newest accepted version.
{{ config(unique_key='user_key') }}

with newest as (
    {{ newest_accepted(ref('base_oneroster__users'), 'user_key') }}
)

select * from newest

-- One row per source and result: its newest accepted version.
{{ config(unique_key='result_key') }}

with newest as (
    {{ newest_accepted(ref('base_oneroster__results'), 'result_key') }}
)

select * from newest

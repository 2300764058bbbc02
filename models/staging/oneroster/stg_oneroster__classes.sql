-- One row per source and class: its newest accepted version.
{{ config(unique_key='class_key') }}

with newest as (
    {{ newest_accepted(ref('base_oneroster__classes'), 'class_key') }}
)

select * from newest

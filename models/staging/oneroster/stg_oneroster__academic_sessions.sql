-- One row per source and term: its newest accepted version.
{{ config(unique_key='term_key') }}

with records as (
    select * from {{ ref('base_oneroster__academic_sessions') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'term_key') }}
)

select * from newest

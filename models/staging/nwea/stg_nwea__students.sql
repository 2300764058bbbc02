-- One row per source, term, school and student: its newest accepted version.
{{ config(enabled=is_used('nwea'), unique_key='listing_key') }}

with records as (
    select * from {{ ref('base_nwea__students') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'listing_key') }}
)

select * from newest

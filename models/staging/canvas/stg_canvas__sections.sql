-- One row per source and section: its newest accepted version.
{{ config(enabled=is_used('canvas'), unique_key='section_key') }}

with records as (
    select * from {{ ref('base_canvas__sections') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'section_key') }}
)

select * from newest

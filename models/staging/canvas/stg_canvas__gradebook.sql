-- One row per source, student and assignment: its newest accepted version.
{{ config(enabled=is_used('canvas'), unique_key='score_key') }}

with records as (
    select * from {{ ref('base_canvas__gradebook') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'score_key') }}
)

select * from newest

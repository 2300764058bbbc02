-- One row per source and user: its newest accepted version.
{{ config(enabled=is_used('canvas'), unique_key='user_key') }}

with records as (
    select * from {{ ref('base_canvas__users') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'user_key') }}
)

select * from newest

-- One row per source and override: its newest accepted version.
{{ config(enabled=is_used('overrides'), unique_key='override_key') }}

with records as (
    select * from {{ ref('base_overrides__mastery_overrides') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'override_key') }}
)

select * from newest

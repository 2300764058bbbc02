-- One row per source and override: its newest accepted version.
{{ config(enabled=is_used('overrides'), unique_key='override_key') }}

with newest as (
    {{ newest_accepted(ref('base_overrides__mastery_overrides'), 'override_key') }}
)

select * from newest

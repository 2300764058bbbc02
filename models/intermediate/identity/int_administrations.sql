-- One row per administration of a state assessment: its day as an instant, and which exports carry its results.
{{ config(materialized='ephemeral', enabled=is_used('state')) }}

with administrations as (
    select
        administrations.*,
        sources.time_zone,
        lead(administrations.administered_on) over (
            partition by administrations.source_id, administrations.assessment order by administrations.administered_on
        ) as next_administered_on
    from {{ ref('administrations') }} as administrations
    inner join {{ ref('sources') }} as sources on administrations.source_id = sources.source_id
)

select
    source_id,
    assessment,
    data_year,
    {{ start_of_day(day_after('administered_on'), 'time_zone') }} as event_at,
    {{ start_of_day('administered_on', 'time_zone') }} as first_exported_at,
    coalesce({{ start_of_day('next_administered_on', 'time_zone') }}, timestamp '9999-12-31') as next_exported_at
from administrations

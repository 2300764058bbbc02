-- One row per source and day on which a result was scored: the moment at which the day ends there.
{{ config(materialized='view') }}

with scored_days as (
    select distinct
        source_id,
        score_date
    from {{ ref('stg_oneroster__results') }}
),

final as (
    select
        scored_days.source_id,
        scored_days.score_date,
        {{ end_of_day('scored_days.score_date', 'sources.time_zone') }} as ends_at
    from scored_days
    inner join {{ ref('sources') }} as sources using (source_id)
)

select * from final

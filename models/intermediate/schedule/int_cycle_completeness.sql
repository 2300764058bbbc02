-- One row per current cycle: how far its evidence reaches, and which due feeds had not come by its cut-off.
with current_cycle as (
    select * from {{ ref('stg_landing__cycles') }}
    where is_current
),

newest_exports as (
    select
        source_id,
        max(exported_at) as exported_at
    from {{ ref('stg_landing__files') }}
    where feed = 'oneroster/results' and is_visible
    group by source_id
),

evidence as (
    select min(exported_at) as evidence_until
    from newest_exports
),

missing as (
    select
        cycle_id,
        array_agg(source_id || ' ' || feed order by source_id, feed) as feeds
    from {{ ref('int_export_schedule') }}
    where status = 'missing'
    group by cycle_id
),

final as (
    select
        current_cycle.cycle_id,
        current_cycle.as_of,
        evidence.evidence_until,
        coalesce(missing.feeds, []) as missing_feeds,
        missing.feeds is not null as is_provisional
    from current_cycle
    cross join evidence
    left join missing on current_cycle.cycle_id = missing.cycle_id
)

select * from final

-- One row per warehouse: the newest cycle, how far it sees, and which due feeds had not come by its cut-off.
with cycles as (
    select * from {{ ref('stg_landing__cycles') }}
),

exports_due as (
    select * from {{ ref('int_exports_due') }}
),

files as (
    select * from {{ ref('stg_landing__visible_files') }}
),

newest_cycle as (
    select
        max(cycle_id) as cycle_id,
        max(cutoff_at) as as_of
    from cycles
),

newest_exports as (
    select
        source_id,
        max(exported_at) as exported_at
    from files
    where feed = 'oneroster/results'
    group by source_id
),

evidence_bound as (
    select min(exported_at) as evidence_until
    from newest_exports
),

missing as (
    select
        cycle_id,
        array_agg(source_id || ' ' || feed order by source_id, feed) as feeds
    from exports_due
    where status = 'missing'
    group by cycle_id
),

final as (
    select
        newest_cycle.cycle_id,
        newest_cycle.as_of,
        evidence_bound.evidence_until,
        coalesce(missing.feeds, []) as missing_feeds,
        missing.feeds is not null as is_provisional
    from newest_cycle
    cross join evidence_bound
    left join missing on newest_cycle.cycle_id = missing.cycle_id
)

select * from final

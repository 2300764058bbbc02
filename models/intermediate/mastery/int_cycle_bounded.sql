-- One row: the newest cycle, how far it sees, and which due feeds had not come by its cut-off.
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
        exports_due.cycle_id,
        exports_due.source_id || ' ' || exports_due.feed as feed
    from exports_due
    where exports_due.status = 'missing'
),

final as (
    select
        newest_cycle.cycle_id,
        newest_cycle.as_of,
        evidence_bound.evidence_until,
        coalesce((
            select array_agg(missing.feed order by missing.feed)
            from missing
            where missing.cycle_id = newest_cycle.cycle_id
        ), []) as missing_feeds
    from newest_cycle
    cross join evidence_bound
)

select
    *,
    len(missing_feeds) > 0 as is_provisional
from final

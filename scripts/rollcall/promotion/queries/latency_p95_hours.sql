with cycles as (
    select * from audit.audit_cycle_log
    where cutoff_at >= $since
),

ages as (
    select
        cycles.cycle_id,
        epoch(cycles.cutoff_at - max(files.exported_at)) / 3600 as hours
    from cycles
    inner join $pilot.audit_ingestion_log as files on cycles.cycle_id >= files.first_cycle_id
    group by cycles.cycle_id, cycles.cutoff_at
)

select quantile_cont(hours, 0.95) as value
from ages

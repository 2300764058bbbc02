with files as (
    select
        cycle,
        count(*) as files,
        count(*) filter (verdict = 'rejected') as rejected_files,
        count(*) filter (verdict in ('held', 'accepted, removals held')) as held_files,
        sum(records)::bigint as records,
        sum(structural)::bigint as structural,
        sum(malformed)::bigint as malformed,
        sum(rejected)::bigint as rejected,
        sum(duplicates)::bigint as duplicates,
        sum(accepted)::bigint as accepted
    from listing_files
    group by cycle
),

due as (
    select
        cycle_id as cycle,
        count(*) filter (status = 'missing') as missing_feeds,
        count(*) filter (status = 'late') as late_feeds
    from good.audit.audit_sync_lag
    group by cycle_id
)

select
    cycles.cycle_id as cycle,
    cycles.cutoff_at as cutoff,
    case
        when cycles.status in ('failed', 'skipped') then cycles.status
        when cycles.status = 'open' then 'interrupted'
        when attempts.last_kind = 'cycle_publish_anyway'
            then 'published although checks failed'
        when attempts.has_failed then 'published after a failure'
        else 'published'
    end as outcome,
    files.* exclude (cycle),
    due.missing_feeds,
    due.late_feeds
from landing.cycles
left join files on cycles.cycle_id = files.cycle
left join due on cycles.cycle_id = due.cycle
left join cycle_attempts as attempts on cycles.cycle_id = attempts.cycle_id
order by cycle desc

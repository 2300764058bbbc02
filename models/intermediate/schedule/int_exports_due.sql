-- One row per cycle, source and feed of which an export was due by then: the newest, and whether it was seen.
with cycles as (
    select * from {{ source('landing', 'cycles') }}
),

exports_met as (
    select * from {{ ref('int_exports_met') }}
),

due_by_cycle as (
    select
        due_by_cycle_id as cycle_id,
        source_id,
        feed,
        max(expected_at) as expected_at,
        count(case when coalesce(met_by_cycle_id > due_by_cycle_id, true) then 1 end) as missed_count
    from exports_met
    group by due_by_cycle_id, source_id, feed
),

late_by_cycle as (
    select
        met_by_cycle_id as cycle_id,
        source_id,
        feed,
        count(*) as late_count
    from exports_met
    where met_by_cycle_id > due_by_cycle_id
    group by met_by_cycle_id, source_id, feed
),

due_feeds as (
    select
        source_id,
        feed,
        min(cycle_id) as first_cycle_id
    from due_by_cycle
    group by source_id, feed
),

newest_due as (
    select
        cycles.cycle_id,
        due_feeds.source_id,
        due_feeds.feed,
        max(due_by_cycle.expected_at) over (
            partition by due_feeds.source_id, due_feeds.feed order by cycles.cycle_id
        ) as expected_at,
        coalesce(due_by_cycle.missed_count, 0) as missed_count
    from cycles
    inner join due_feeds on cycles.cycle_id >= due_feeds.first_cycle_id
    left join due_by_cycle
        on
            cycles.cycle_id = due_by_cycle.cycle_id
            and due_feeds.source_id = due_by_cycle.source_id
            and due_feeds.feed = due_by_cycle.feed
),

final as (
    select
        cycle_id,
        source_id,
        feed,
        expected_at,
        exports_met.due_at,
        case
            when coalesce(exports_met.met_by_cycle_id > cycle_id, true) then 'missing'
            when exports_met.met_by_cycle_id > exports_met.due_by_cycle_id then 'late'
            else 'on_time'
        end as status,
        newest_due.missed_count,
        coalesce(late_by_cycle.late_count, 0) as late_count
    from newest_due
    inner join exports_met using (source_id, feed, expected_at)
    left join late_by_cycle using (cycle_id, source_id, feed)
)

select * from final

-- One row per cycle, source and feed of which an export was due by then: the newest, and whether it was seen.
with expected_exports as (
    select
        expected.*,
        lead(expected.expected_at, 1, timestamp '9999-12-31')
            over (partition by expected.source_id, expected.feed order by expected.expected_at) as next_expected_at
    from {{ source('landing', 'expected_exports') }} as expected
    inner join {{ ref('stg_landing__stages') }} as stages
        on expected.source_id = stages.source_id and {{ is_in_run('expected.cycle_id') }}
),

exports as (
    select
        expected_exports.source_id,
        expected_exports.feed,
        expected_exports.expected_at,
        expected_exports.due_at,
        expected_exports.cycle_id as due_by_cycle_id,
        min(files.first_cycle_id) as met_by_cycle_id
    from expected_exports
    left join {{ ref('stg_landing__files') }} as files
        on
            expected_exports.source_id = files.source_id and expected_exports.feed = files.feed and files.is_visible
            and expected_exports.expected_at <= files.exported_at
            and expected_exports.next_expected_at > files.exported_at
    group by all
),

due_by_cycle as (
    select
        due_by_cycle_id as cycle_id,
        source_id,
        feed,
        max(expected_at) as expected_at,
        count(*) as due_count,
        count(case when met_by_cycle_id = due_by_cycle_id then 1 end) as on_time_count,
        count(case when met_by_cycle_id is null then 1 end) as never_count
    from exports
    group by all
),

late_by_cycle as (
    select
        met_by_cycle_id as cycle_id,
        source_id,
        feed,
        count(*) as late_count
    from exports
    where met_by_cycle_id > due_by_cycle_id
    group by all
),

due_feeds as (
    select
        source_id,
        feed,
        min(cycle_id) as first_cycle_id
    from due_by_cycle
    group by all
),

newest_due as (
    select
        cycles.cycle_id,
        feeds.source_id,
        feeds.feed,
        max(due_by_cycle.expected_at) over (partition by feeds.source_id, feeds.feed order by cycles.cycle_id)
            as expected_at,
        coalesce(due_by_cycle.due_count, 0) as due_count,
        coalesce(due_by_cycle.on_time_count, 0) as on_time_count,
        coalesce(due_by_cycle.never_count, 0) as never_count
    from due_feeds as feeds
    inner join {{ ref('stg_landing__cycles') }} as cycles on feeds.first_cycle_id <= cycles.cycle_id
    inner join {{ ref('stg_landing__stages') }} as stages
        on feeds.source_id = stages.source_id and {{ is_in_run('cycles.cycle_id') }}
    left join due_by_cycle
        on
            cycles.cycle_id = due_by_cycle.cycle_id and feeds.source_id = due_by_cycle.source_id
            and feeds.feed = due_by_cycle.feed
)

select
    cycle_id,
    source_id,
    feed,
    expected_at,
    exports.due_at,
    case
        when exports.met_by_cycle_id <= exports.due_by_cycle_id then 'on_time'
        when exports.met_by_cycle_id <= cycle_id then 'late'
        else 'missing'
    end as status,
    newest_due.due_count,
    newest_due.on_time_count,
    newest_due.never_count,
    newest_due.due_count - newest_due.on_time_count as missed_count,
    coalesce(late_by_cycle.late_count, 0) as late_count
from newest_due
inner join exports using (source_id, feed, expected_at)
left join late_by_cycle using (cycle_id, source_id, feed)

-- One row per live source: the measures of its exports and events that say whether batch serves it.
with sources as (
    select distinct source_id from {{ ref('stg_landing__stages') }}
    where current_stage = 'live'
),

cycles as (
    select * from {{ ref('stg_landing__cycles') }}
),

exports as (
    select
        source_id,
        sum(due_count) as due_count,
        sum(on_time_count) as on_time_count,
        sum(never_count) as missing_count
    from {{ ref('int_export_schedule') }}
    group by source_id
),

due_feeds as (
    select distinct
        source_id,
        feed
    from {{ ref('int_export_schedule') }}
),

spaced as (
    select
        files.source_id,
        files.feed,
        {{ hours_between(
            'lag(files.exported_at) over (partition by files.source_id, files.feed order by files.exported_at)',
            'files.exported_at',
        ) }} as hours
    from {{ ref('stg_landing__files') }} as files
    inner join due_feeds using (source_id, feed)
    where files.is_visible
),

usual as (
    select
        source_id,
        feed,
        {{ percentile('hours', 0.5) }} as hours
    from spaced
    group by source_id, feed
),

intervals as (
    select
        spaced.source_id,
        count(spaced.hours) as interval_count,
        count(case when abs(spaced.hours - usual.hours) > usual.hours / 4 then 1 end) as irregular_count,
        max(spaced.hours) as longest_interval_hours
    from spaced
    inner join usual using (source_id, feed)
    group by spaced.source_id
),

events_by_student as (
    select
        evidence.source_id,
        evidence.student_key,
        cycles.cycle_id,
        count(distinct evidence.evidence_key) as event_count
    from {{ ref('fct_evidence') }} as evidence
    inner join cycles on evidence.event_at > cycles.previous_as_of and evidence.event_at <= cycles.as_of
    where evidence.student_key is not null
    group by evidence.source_id, evidence.student_key, cycles.cycle_id
),

events as (
    select
        source_id,
        count(*) as assessed_count,
        count(case when event_count > 1 then 1 end) as repeated_count
    from events_by_student
    group by source_id
)

select
    source_id,
    cast(coalesce(exports.due_count, 0) as bigint) as due_count,
    cast(coalesce(exports.on_time_count, 0) as bigint) as on_time_count,
    cast(coalesce(exports.due_count - exports.on_time_count - exports.missing_count, 0) as bigint) as late_count,
    cast(coalesce(exports.missing_count, 0) as bigint) as missing_count,
    intervals.longest_interval_hours,
    round(100.0 * events.repeated_count / events.assessed_count, 1) as repeated_percent,
    round(100.0 * exports.missing_count / nullif(exports.due_count, 0), 1) as missing_percent,
    round(100.0 * (exports.due_count - exports.on_time_count - exports.missing_count) / nullif(exports.due_count, 0), 1)
        as late_percent,
    round(100.0 * intervals.irregular_count / nullif(intervals.interval_count, 0), 1) as irregular_percent
from sources
left join exports using (source_id)
left join intervals using (source_id)
left join events using (source_id)

-- One row per live source: the measures that say whether batch serves it.
with sources as (
    select source_id from {{ ref('sources') }}
    where stage = 'live'
),

events as (
    select * from {{ ref('int_events_repeated') }}
),

intervals as (
    select * from {{ ref('int_exports_spaced') }}
),

exports as (
    select
        source_id,
        count(*) as due_count,
        count(case when met_by_cycle_id = due_by_cycle_id then 1 end) as on_time_count,
        count(case when met_by_cycle_id > due_by_cycle_id then 1 end) as late_count,
        count(case when met_by_cycle_id is null then 1 end) as missing_count
    from {{ ref('int_exports_met') }}
    group by source_id
),

changes as (
    select
        source_id,
        count(*) as format_change_count
    from {{ ref('audit_format_change') }}
    where change <> 'restored'
    group by source_id
),

files as (
    select
        source_id,
        sum(record_count) as record_count,
        sum(malformed_count + rejected_count) as refused_count,
        count(case when code in ('DELIVERY_CONFLICT', 'MODE_CONFLICT') then 1 end) as conflict_count
    from {{ ref('audit_ingestion_log') }}
    group by source_id
),

conflicts as (
    select
        source_id,
        count(*) as conflicting_record_count
    from {{ ref('audit_rejected_record') }}
    where code = 'DUPLICATE_KEY_CONFLICT'
    group by source_id
),

final as (
    select
        source_id,
        coalesce(exports.due_count, 0) as due_count,
        coalesce(exports.on_time_count, 0) as on_time_count,
        coalesce(exports.late_count, 0) as late_count,
        coalesce(exports.missing_count, 0) as missing_count,
        intervals.longest_interval_hours,
        round(100.0 * events.repeated_count / events.assessed_count, 1) as repeated_percent,
        round(100.0 * exports.missing_count / exports.due_count, 1) as missing_percent,
        round(100.0 * exports.late_count / exports.due_count, 1) as late_percent,
        round(100.0 * intervals.irregular_count / nullif(intervals.interval_count, 0), 1)
            as irregular_percent,
        coalesce(changes.format_change_count, 0) as format_change_count,
        coalesce(files.conflict_count, 0) + coalesce(conflicts.conflicting_record_count, 0)
            as contested_count,
        round(100.0 * files.refused_count / nullif(files.record_count, 0), 1) as refused_percent
    from sources
    left join events using (source_id)
    left join intervals using (source_id)
    left join exports using (source_id)
    left join changes using (source_id)
    left join files using (source_id)
    left join conflicts using (source_id)
)

select * from final

-- One row per cycle, source and feed that was due or brought something: whether it was in time, and how old it was.
with files as (
    select
        *,
        {{ hours_between('exported_at', 'landed_at') }} as export_to_landing_hours,
        {{ hours_between('landed_at', 'visible_at') }} as landing_to_visible_hours
    from {{ ref('stg_landing__files') }}
    where is_visible
),

exports_due as (
    select * from {{ ref('int_export_schedule') }}
),

event_lags as (
    select * from {{ ref('int_event_lags') }}
),

sources as (
    select * from {{ ref('sources') }}
),

lags as (
    select
        first_cycle_id as cycle_id,
        source_id,
        feed,
        count(*) as file_count,
        {{ percentile('export_to_landing_hours', 0.5) }} as export_to_landing_p50_hours,
        {{ percentile('export_to_landing_hours', 0.95) }} as export_to_landing_p95_hours,
        max(export_to_landing_hours) as export_to_landing_max_hours,
        {{ percentile('landing_to_visible_hours', 0.5) }} as landing_to_visible_p50_hours,
        {{ percentile('landing_to_visible_hours', 0.95) }} as landing_to_visible_p95_hours,
        max(landing_to_visible_hours) as landing_to_visible_max_hours
    from files
    group by first_cycle_id, source_id, feed
),

final as (
    select
        cycle_id,
        source_id,
        feed,
        exports_due.status,
        exports_due.expected_at,
        exports_due.due_at,
        coalesce(exports_due.missed_count, 0) as missed_count,
        coalesce(exports_due.late_count, 0) as late_count,
        coalesce(lags.file_count, 0) as file_count,
        event_lags.event_to_export_p50_hours,
        event_lags.event_to_export_p95_hours,
        event_lags.event_to_export_max_hours,
        lags.export_to_landing_p50_hours,
        lags.export_to_landing_p95_hours,
        lags.export_to_landing_max_hours,
        lags.landing_to_visible_p50_hours,
        lags.landing_to_visible_p95_hours,
        lags.landing_to_visible_max_hours,
        sources.latency_target_hours
    from exports_due
    full outer join lags using (cycle_id, source_id, feed)
    left join event_lags using (cycle_id, source_id, feed)
    inner join sources using (source_id)
)

select * from final

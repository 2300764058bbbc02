select
    cycle_id as cycle,
    source_id as source,
    feed,
    replace(status, '_', ' ') as status,
    due_at as due,
    file_count as files,
    event_to_export_p50_hours as event_to_export_median,
    event_to_export_p95_hours as event_to_export_95_percent,
    event_to_export_max_hours as event_to_export_longest,
    export_to_landing_p50_hours as export_to_landing_median,
    export_to_landing_max_hours as export_to_landing_longest,
    landing_to_visible_p50_hours as landing_to_use_median,
    landing_to_visible_max_hours as landing_to_use_longest,
    latency_target_hours as target_hours
from good.audit.audit_sync_lag
order by cycle desc, source asc, feed asc

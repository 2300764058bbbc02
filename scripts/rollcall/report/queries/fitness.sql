select
    source_id as source,
    verdict,
    evidence as why,
    due_count as exports_due,
    on_time_count as on_time,
    late_count as late,
    missing_count as missing,
    longest_interval_hours,
    repeated_percent as assessed_more_than_once_percent,
    irregular_percent,
    format_change_count as changes_of_format,
    contested_count as contested,
    rejected_percent
from good.audit.audit_batch_fitness
order by source

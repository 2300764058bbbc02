select
    100.0 * sum(malformed_count + coalesce(rejected_count, 0))
    / nullif(sum(record_count - structural_count), 0) as value
from $pilot.audit_ingestion_log
where landed_at >= $since

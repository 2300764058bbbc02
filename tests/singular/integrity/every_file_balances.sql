-- Finds: files whose records are not all accounted for.
-- Matters: a record that is neither structural, malformed, rejected, duplicate nor accepted was lost or counted twice.
-- Do: look at the file in audit.audit_ingestion_log; compare raw rows with int_file_record_counts.
select
    file_id,
    source_id,
    delivery_name,
    file_name,
    record_count,
    structural_count,
    malformed_count,
    rejected_count,
    duplicate_count,
    accepted_count
from {{ ref('recon_file_balance') }}
where is_balanced is distinct from true

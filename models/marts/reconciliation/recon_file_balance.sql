-- One row per file whose records are judged: do they add up?
with ingestion_log as (
    select * from {{ ref('audit_ingestion_log') }}
),

final as (
    select
        file_id,
        source_id,
        feed,
        delivery_name,
        file_name,
        first_cycle_id,
        record_count,
        structural_count,
        malformed_count,
        rejected_count,
        duplicate_count,
        accepted_count,
        record_count = structural_count + malformed_count + rejected_count + duplicate_count + accepted_count
            as is_balanced
    from ingestion_log
    where accepted_count is not null
)

select * from final

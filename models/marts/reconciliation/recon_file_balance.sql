-- One row per file that a cycle has seen: do its records add up?
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
        malformed_count,
        rejected_count,
        duplicate_count,
        accepted_count,
        record_count = malformed_count + rejected_count + duplicate_count + accepted_count
            as is_balanced
    from ingestion_log
    where first_cycle_id is not null
)

select * from final

-- One row per file landed before the current cycle opened, with its verdict and what its records came to.
with files as (
    select * from {{ ref('stg_landing__files') }}
),

current_cycle as (
    select * from {{ ref('stg_landing__cycles') }}
    where is_current
),

counts as (
    select * from {{ ref('int_file_record_counts') }}
),

structural as (
    select
        file_id,
        count(*) as structural_count
    from {{ source('landing', 'structural_records') }}
    group by file_id
),

final as (
    select
        files.file_id,
        files.job_id,
        files.source_id,
        files.delivery_name,
        files.file_name,
        files.feed,
        files.layout_version,
        files.declared_mode,
        files.mode,
        files.are_removals_held,
        files.sha256,
        files.byte_count,
        files.encoding,
        files.record_count,
        coalesce(structural.structural_count, 0) as structural_count,
        files.malformed_count,
        files.blank_line_count,
        files.verdict,
        files.code,
        files.detail,
        files.exported_at,
        files.landed_at,
        files.decision,
        files.decision_reason,
        files.decided_by,
        files.first_cycle_id,
        case
            -- Of a rejected file nothing is passed over.
            when files.verdict = 'rejected' then files.record_count - files.malformed_count
            when files.is_visible then coalesce(counts.rejected_count, 0)
        end as rejected_count,
        case
            when files.verdict = 'rejected' then files.record_count * 0
            when files.is_visible then coalesce(counts.duplicate_count, 0)
        end as duplicate_count,
        case
            when files.verdict = 'rejected' then files.record_count * 0
            when files.is_staged then coalesce(counts.accepted_count, 0)
            -- Kept raw only: the loader has checked that every well-formed record is stored.
            when files.is_visible
                then files.record_count - coalesce(structural.structural_count, 0) - files.malformed_count
        end as accepted_count
    from files
    inner join current_cycle on files.job_id <= current_cycle.job_id
    left join counts on files.file_id = counts.file_id
    left join structural on files.file_id = structural.file_id
)

select * from final

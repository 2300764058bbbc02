-- One row per file landed before the newest cycle opened, with its verdict and what its records came to.
with files as (
    select * from {{ source('landing', 'files') }}
),

newest_cycle as (
    select max(job_id) as job_id
    from {{ source('landing', 'cycles') }}
),

visible_files as (
    select * from {{ ref('stg_landing__visible_files') }}
),

decisions as (
    select * from {{ ref('stg_landing__file_decisions') }}
),

staged_layouts as (
    select distinct
        feed,
        layout_version
    from {{ ref('audit_field_mapping') }}
    where staged_as is not null
),

counted as (
    select * from {{ ref('int_files_counted') }}
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
        files.malformed_count,
        files.blank_line_count,
        files.verdict,
        files.code,
        files.detail,
        files.exported_at,
        files.landed_at,
        decisions.decision,
        decisions.reason as decision_reason,
        decisions.decided_by,
        visible_files.first_cycle_id,
        case
            when files.verdict = 'rejected' then files.record_count - files.malformed_count
            when visible_files.file_id is not null then coalesce(counted.rejected_count, 0)
        end as rejected_count,
        case
            when files.verdict = 'rejected' then files.record_count * 0
            when visible_files.file_id is not null then coalesce(counted.duplicate_count, 0)
        end as duplicate_count,
        case
            when files.verdict = 'rejected' then files.record_count * 0
            when visible_files.file_id is null then null
            when staged_layouts.feed is not null then coalesce(counted.accepted_count, 0)
            -- Kept raw only: the loader has checked that every well-formed record is stored.
            else files.record_count - files.malformed_count
        end as accepted_count
    from files
    inner join newest_cycle on files.job_id <= newest_cycle.job_id
    left join visible_files on files.file_id = visible_files.file_id
    left join decisions on files.file_id = decisions.file_id
    left join staged_layouts
        on files.feed = staged_layouts.feed and files.layout_version = staged_layouts.layout_version
    left join counted on files.file_id = counted.file_id
)

select * from final

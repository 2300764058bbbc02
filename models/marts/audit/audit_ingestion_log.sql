-- One row per file landed before the newest cycle opened, with its verdict and what its records came to.
with files as (
    select * from {{ source('landing', 'files') }}
),

newest_cycle as (
    select max(job_id) as job_id
    from {{ source('landing', 'cycles') }}
),

cycle_files as (
    select * from {{ source('landing', 'cycle_files') }}
),

feeds as (
    select * from {{ ref('feeds') }}
),

counted as (
    select * from {{ ref('int_oneroster_files_counted') }}
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
        cycle_files.cycle_id as first_cycle_id,
        case when cycle_files.cycle_id is not null then coalesce(counted.rejected_count, 0) end
            as rejected_count,
        case when cycle_files.cycle_id is not null then coalesce(counted.duplicate_count, 0) end
            as duplicate_count,
        case
            when cycle_files.cycle_id is null then null
            when feeds.is_staged and files.layout_version <> '1.0'
                then coalesce(counted.accepted_count, 0)
            -- Kept raw only: the loader has checked that every well-formed record is stored.
            else files.record_count - files.malformed_count
        end as accepted_count
    from files
    inner join newest_cycle on files.job_id <= newest_cycle.job_id
    left join cycle_files using (file_id)
    left join feeds using (feed)
    left join counted using (file_id)
)

select * from final

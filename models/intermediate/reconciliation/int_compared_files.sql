-- One row per landed file of a staged layout: is it one of the newest files of its source and feed?
with files as (
    select * from {{ ref('stg_landing__files') }}
    where has_staged_layout and (is_visible or coalesce(exported_at <= landed_at, true))
),

bulks as (
    select
        file_id,
        source_id,
        feed,
        exported_at,
        row_number() over (
            partition by source_id, feed order by exported_at desc, status = 'pending' desc, file_id desc
        ) as recency
    from files
    where mode = 'bulk' and status in ('visible', 'pending')
),

final as (
    select
        files.file_id,
        files.source_id,
        files.feed,
        files.layout_version,
        files.exported_at,
        files.time_zone,
        files.naive_time_zone,
        files.mode,
        files.status,
        files.removals,
        files.is_visible,
        files.status in ('visible', 'pending', 'held')
        and coalesce(files.exported_at >= bulks.exported_at, true) as is_in_scope,
        files.is_visible
        and coalesce(files.exported_at >= files.latest_bulk_exported_at, true) as is_since_latest_bulk,
        coalesce(files.file_id = bulks.file_id, false) as is_newest_bulk
    from files
    left join bulks
        on files.source_id = bulks.source_id and files.feed = bulks.feed and bulks.recency = 1
)

select * from final

-- One row per staged record that is not active: deleted, or absent since the bulk in force.
with newest_versions as (
    select * from {{ ref('int_newest_versions') }}
),

bulks_in_force as (
    select * from {{ ref('int_bulks_in_force') }}
),

keys_sighted as (
    select * from {{ ref('int_keys_sighted') }}
),

files as (
    select * from {{ ref('stg_landing__visible_files') }}
),

judged as (
    select
        newest_versions.*,
        newest_versions.is_deleted
        and not files.are_removals_held
        and coalesce(keys_sighted.bulk_exported_at <= newest_versions.exported_at, true)
            as is_deleted_by_record,
        bulks_in_force.exported_at is not null and keys_sighted.record_key is null
            as is_absent_from_bulk
    from newest_versions
    inner join files on newest_versions.file_id = files.file_id
    left join bulks_in_force
        on
            newest_versions.source_id = bulks_in_force.source_id
            and newest_versions.feed = bulks_in_force.feed
    left join keys_sighted
        on
            newest_versions.source_id = keys_sighted.source_id
            and newest_versions.feed = keys_sighted.feed
            and newest_versions.record_key = keys_sighted.record_key
),

final as (
    select
        source_id,
        feed,
        record_key,
        case when is_deleted_by_record then 'deleted' else 'absent' end as reason
    from judged
    where is_deleted_by_record or is_absent_from_bulk
)

select * from final

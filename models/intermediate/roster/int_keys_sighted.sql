-- One row per source, feed and key that any record names, refused ones included, since the bulk in force.
with files as (
    select * from {{ ref('stg_landing__visible_files') }}
),

bulks_in_force as (
    select * from {{ ref('int_bulks_in_force') }}
),

records as (
    select * from {{ ref('int_records_judged') }}
),

malformed_records as (
    select * from {{ source('landing', 'malformed_records') }}
),

sighting_files as (
    select files.*
    from files
    left join bulks_in_force using (source_id, feed)
    where
        files.exported_at >= bulks_in_force.exported_at
        or (bulks_in_force.exported_at is null and files.mode = 'bulk')
),

sightings as (
    select
        sighting_files.source_id,
        sighting_files.feed,
        records.record_key,
        sighting_files.mode,
        sighting_files.exported_at
    from records
    inner join sighting_files using (file_id)

    union all

    select
        sighting_files.source_id,
        sighting_files.feed,
        malformed_records.record_key,
        sighting_files.mode,
        sighting_files.exported_at
    from malformed_records
    inner join sighting_files using (file_id)
),

final as (
    select
        source_id,
        feed,
        record_key,
        max(case when mode = 'bulk' then exported_at end) as bulk_exported_at
    from sightings
    where record_key is not null
    group by source_id, feed, record_key
)

select * from final

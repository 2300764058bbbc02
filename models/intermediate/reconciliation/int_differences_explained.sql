-- One row per record or key on which the newest files and the marts differ, with the reason.
with source_records as (
    select * from {{ ref('int_source_records') }}
),

files as (
    select * from {{ ref('int_compared_files') }}
),

-- The record that speaks for its key is the newest by export time; a duplicate leaves that to its twin.
ranked as (
    select
        *,
        row_number() over (
            partition by source_id, feed, coalesce(record_key, file_id || ' ' || record_number)
            order by is_origin and not is_as_its_origin desc, exported_at desc, is_rejected asc, record_number asc
        ) as recency
    from source_records
    where file_id is not null and verdict is distinct from 'duplicate'
),

of_records as (
    select
        * exclude (recency),
        case
            when not is_active and not is_deletion then 'missing'
            when is_active and is_deletion then 'unexpected'
            when is_active then 'diverging'
        end as kind,
        case
            when is_active and not is_as_its_origin then 'unexplained'
            when is_rejected then 'rejected'
            when status <> 'visible' then status
            when is_origin and is_deletion and removals <> 'applied' then removals
            when is_origin then 'unexplained'
            when is_origin_newer and is_active then 'superseded'
            when is_origin_newer and is_origin_deletion then 'deleted'
            else 'unexplained'
        end as reason
    from ranked
    where recency = 1 and (is_origin or not (is_as_its_origin and is_origin_exported_since))
),

-- A row that no record names may be there still because the bulk that lacks it has not removed it yet.
of_rows as (
    select
        source_records.*,
        'unexpected' as kind,
        case
            when source_records.row_count > 1 or not source_records.is_present then 'unexplained'
            when newest_bulks.status <> 'visible' then newest_bulks.status
            when newest_bulks.removals <> 'applied' then newest_bulks.removals
            else 'unexplained'
        end as reason
    from source_records
    left join files as newest_of_feed
        on
            source_records.source_id = newest_of_feed.source_id
            and source_records.feed = newest_of_feed.feed
            and newest_of_feed.is_newest_bulk
    left join files as newest_bulks
        on coalesce(source_records.newest_bulk_file_id, newest_of_feed.file_id) = newest_bulks.file_id
    where source_records.file_id is null
),

differences as (
    select * from of_records
    where kind is not null
    union all
    select * from of_rows
),

final as (
    select
        source_id,
        feed,
        record_key,
        kind,
        reason,
        file_id,
        record_number,
        line_number,
        layout_version,
        processed_file_id,
        processed_record_number,
        row_count,
        has_origin,
        differences,
        ignored_columns,
        version_at,
        origin_version_at,
        reason in ('superseded', 'deleted') and not is_origin_exported_since and (
            kind <> 'diverging'
            or len(list_filter(differences, lambda value: value['processed_column'] <> 'modified_at')) > 0
        ) as has_older_date
    from differences
)

select * from final

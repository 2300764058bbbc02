-- One row per record in scope that its mart does not hold as it is, with what may explain that.
with unmatched as (
    select * from {{ ref('int_records_unmatched') }}
    where file_id is not null
),

files as (
    select * from {{ ref('int_files_reconciled') }}
),

origins as (
    select * from {{ ref('int_origins_read') }}
),

refused as (
    select distinct
        file_id,
        record_number,
        verdict
    from {{ ref('audit_rejected_record') }}
),

claims as (
    select
        unmatched.source_id,
        unmatched.feed,
        unmatched.record_key,
        unmatched.file_id,
        unmatched.record_number,
        unmatched.line_number,
        unmatched.is_deletion,
        unmatched.processed_file_id,
        unmatched.processed_record_number,
        coalesce(unmatched.is_active, false) as is_active,
        unmatched.differences,
        files.exported_at,
        files.standing,
        files.removals,
        least(coalesce(unmatched.modified_at, files.exported_at), files.exported_at) as version_at,
        refused.verdict is not null as is_refused
    from unmatched
    inner join files on unmatched.file_id = files.file_id
    left join refused
        on unmatched.file_id = refused.file_id and unmatched.record_number = refused.record_number
    where coalesce(refused.verdict <> 'duplicate', true)
),

weighed as (
    select
        claims.*,
        coalesce(
            claims.file_id = claims.processed_file_id
            and claims.record_number = claims.processed_record_number, false
        ) as is_origin,
        coalesce(origins.is_equal, false) as is_processed_as_its_origin,
        origins.is_deletion as is_origin_deletion,
        origins.exported_at as origin_exported_at,
        coalesce(
            (origins.version_at, origins.exported_at) > (claims.version_at, claims.exported_at), false
        ) as is_origin_newer
    from claims
    left join origins
        on
            claims.source_id = origins.source_id
            and claims.feed = origins.feed
            and claims.record_key = origins.record_key
            and claims.processed_file_id = origins.file_id
            and claims.processed_record_number = origins.record_number
),

final as (
    select
        *,
        row_number() over (
            partition by source_id, feed, coalesce(record_key, file_id || ' ' || record_number)
            order by
                is_origin and not is_processed_as_its_origin desc,
                exported_at desc,
                is_refused asc,
                record_number asc
        ) as recency
    from weighed
)

select * from final

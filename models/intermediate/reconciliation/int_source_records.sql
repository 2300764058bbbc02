-- One row per record of the newest files, or row of a mart, that is in doubt, with what may explain it.
with doubts as (
    select * from {{ ref('int_doubts') }}
),

files as (
    select * from {{ ref('int_compared_files') }}
),

judged_records as (
    select * from {{ ref('int_judged_records') }}
),

dated as (
    select
        doubts.* exclude (is_origin_in_scope),
        files.layout_version,
        files.exported_at,
        files.status,
        files.removals,
        files.is_visible,
        case when doubts.is_malformed then 'malformed' else judged_records.verdict end as verdict,
        judged_records.ignored_columns,
        least(coalesce(doubts.modified_at, files.exported_at), files.exported_at) as version_at,
        origins.exported_at as origin_exported_at,
        least(coalesce(doubts.origin_modified_at, origins.exported_at), origins.exported_at)
            as origin_version_at,
        coalesce(doubts.is_origin_in_scope, origins.is_in_scope) and origins.is_visible as is_origin_in_scope,
        judged_origins.ignored_columns as origin_ignored_columns
    from doubts
    left join files on doubts.file_id = files.file_id
    left join files as origins on doubts.processed_file_id = origins.file_id
    left join judged_records
        on doubts.file_id = judged_records.file_id and doubts.record_number = judged_records.record_number
    left join judged_records as judged_origins
        on
            doubts.processed_file_id = judged_origins.file_id
            and doubts.processed_record_number = judged_origins.record_number
),

final as (
    select
        source_id,
        feed,
        record_key,
        file_id,
        record_number,
        line_number,
        layout_version,
        exported_at,
        status,
        removals,
        is_visible,
        verdict,
        coalesce(verdict in ('malformed', 'rejected'), false) as is_rejected,
        is_deletion,
        processed_file_id,
        processed_record_number,
        is_active,
        row_count,
        is_present,
        newest_bulk_file_id,
        list_filter(compared_values, lambda value: value['is_different']) as differences,
        ignored_columns,
        version_at,
        origin_version_at,
        coalesce(file_id = processed_file_id and record_number = processed_record_number, false) as is_origin,
        has_origin,
        has_origin and is_origin_in_scope as is_origin_in_scope,
        is_origin_deletion,
        has_origin and len(list_filter(origin_values, lambda value: value['is_different'] and not coalesce(
            list_contains(origin_ignored_columns, value['raw_column']), false
        ))) = 0 as is_as_its_origin,
        has_origin and origin_exported_at >= exported_at as is_origin_exported_since,
        has_origin and (origin_version_at > version_at or (
            origin_version_at = version_at and origin_exported_at > exported_at
        )) as is_origin_newer
    from dated
)

select * from final

-- One row per record of the newest files, or row of a mart, that is in doubt, with what may explain it.
with compared as (select * from {{ ref('int_compared_records') }}),

files as (select * from {{ ref('int_compared_files') }}),

files_in_doubt as (
    select file_id from compared
    union distinct
    select processed_file_id from compared
),

problems as (
    select
        counts.file_id,
        unnest(counts.problems) as problem
    from {{ ref('int_file_record_counts') }} as counts
    inner join files_in_doubt on counts.file_id = files_in_doubt.file_id
),

judged_records as (
    select
        file_id,
        problem['record_number'] as record_number,
        problem['verdict'] as verdict,
        list_transform(
            list_filter(problem['violations'], lambda found: found['code'] = 'OPTIONAL_VALUE_IGNORED'),
            lambda found: found['column_name']
        ) as ignored_columns
    from problems
),

dated as (
    select
        compared.*,
        files.layout_version,
        files.exported_at,
        files.status,
        files.removals,
        files.is_visible,
        case when compared.is_malformed then 'malformed' else judged_records.verdict end as verdict,
        judged_records.ignored_columns,
        least(coalesce(compared.modified_at, files.exported_at), files.exported_at) as version_at,
        origins.exported_at as origin_exported_at,
        least(coalesce(compared.origin_modified_at, origins.exported_at), origins.exported_at)
            as origin_version_at,
        origins.is_in_scope and origins.is_visible as is_origin_in_scope,
        judged_origins.ignored_columns as origin_ignored_columns
    from compared
    left join files on compared.file_id = files.file_id
    left join files as origins on compared.processed_file_id = origins.file_id
    left join judged_records
        on compared.file_id = judged_records.file_id and compared.record_number = judged_records.record_number
    left join judged_records as judged_origins
        on
            compared.processed_file_id = judged_origins.file_id
            and compared.processed_record_number = judged_origins.record_number
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
        coalesce(is_deletion, false) as is_deletion,
        processed_file_id,
        processed_record_number,
        coalesce(is_active, false) as is_active,
        row_count,
        staged_count,
        is_present,
        list_filter(compared_values, lambda value: value['is_different']) as differences,
        ignored_columns,
        coalesce(file_id = processed_file_id and record_number = processed_record_number, false) as is_origin,
        has_origin,
        has_origin and is_origin_in_scope as is_origin_in_scope,
        has_origin and is_origin_deletion as is_origin_deletion,
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

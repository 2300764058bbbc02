-- One row per result and file that restated it: the score before and after, and the record that said each first.
{{ config(enabled=result_measures() | length > 0) }}

with versions as (
    select
        *,
        lag(score) over (partition by version_path order by exported_at, file_id) as score_before,
        lag(file_id) over (partition by version_path order by exported_at, file_id) as file_id_before,
        lag(record_number) over (partition by version_path order by exported_at, file_id) as record_number_before,
        lag(line_number) over (partition by version_path order by exported_at, file_id) as line_number_before
    from {{ ref('int_result_versions') }}
),

final as (
    select
        versions.source_id,
        versions.feed,
        versions.record_key,
        versions.score_before,
        versions.score as score_after,
        files_before.delivery_name as delivery_name_before,
        files_before.file_name as file_name_before,
        versions.file_id_before,
        versions.record_number_before,
        versions.line_number_before,
        files.delivery_name,
        files.file_name,
        versions.file_id,
        versions.record_number,
        versions.line_number,
        versions.exported_at,
        files.first_cycle_id as cycle_id
    from versions
    inner join {{ ref('stg_landing__files') }} as files on versions.file_id = files.file_id
    inner join {{ ref('stg_landing__files') }} as files_before on versions.file_id_before = files_before.file_id
)

select * from final

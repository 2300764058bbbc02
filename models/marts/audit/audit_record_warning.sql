-- One row per accepted record and warning: what should be corrected at its source.
with files as (
    select * from {{ ref('stg_landing__files') }}
    where is_visible
),

problems as (
    select
        file_id,
        unnest(problems, max_depth := 2) -- noqa: AL03
    from {{ ref('int_file_record_counts') }}
),

warnings as (
    select
        file_id,
        record_number,
        line_number,
        record_key,
        verdict,
        unnest(violations, max_depth := 2) -- noqa: AL03
    from problems
    where verdict = 'accepted'
),

-- What a newer export says with an older date changes nothing; a correction may be lost by that. Results are restated.
older as (
    select
        found.file_id,
        found.record_number,
        found.line_number,
        found.record_key,
        names.raw_column as column_name,
        'OLDER_DATE' as code,
        'Its date of change is ' || found.version_at || ', that of record ' || found.processed_record_number || ' of '
        || known_files.delivery_name || '/' || known_files.file_name || ' is ' || found.origin_version_at
        || ' (UTC), so what that says stays.' as message
    from {{ ref('int_differences_explained') }} as found
    inner join files on found.file_id = files.file_id
    inner join files as known_files on found.processed_file_id = known_files.file_id
    left join {{ source('landing', 'layout_columns') }} as names
        on
            found.feed = names.feed
            and found.layout_version = names.layout_version
            and names.staged_as like '%.modified_at'
    where found.has_older_date
    {%- if result_measures() %}
    union all by name
    {{ restated_results() }}
    {%- endif %}
),

found as (
    select
        file_id,
        record_number,
        line_number,
        record_key,
        verdict,
        column_name,
        code
    from warnings
    union all
    select
        file_id,
        record_number,
        line_number,
        record_key,
        'accepted' as verdict,
        column_name,
        code
    from older
),

described as (
    {{ described_violations('found', 'files') }}
),

final as (
    select described.* replace (coalesce(older.message, described.message) as message)
    from described
    left join older using (file_id, record_number, code)
)

select * exclude (verdict) from final

-- One row per row of a mart in doubt whose origin names its key: when does that count from, is it equal?
{%- set feeds = reconciled_feeds() %}
with files as (
    select
        files.*,
        false as is_visible
    from {{ source('landing', 'files') }} as files
),

doubts as (
    select distinct
        processed_file_id as file_id,
        processed_record_number as record_number
    from {{ ref('int_records_unmatched') }}
    where processed_file_id is not null
),

origins as (
    {% for feed in feeds %}
        {{ origins_read(feed, 'files', 'doubts') }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

ignored_values as (
    select
        file_id,
        record_number,
        array_agg(distinct column_name order by column_name) as ignored_columns
    from {{ ref('audit_record_warning') }}
    where code = 'OPTIONAL_VALUE_IGNORED'
    group by file_id, record_number
),

final as (
    select
        origins.*,
        {{ are_all_among('origins.differing_columns', 'ignored_values.ignored_columns') }} as is_equal,
        files.exported_at,
        least(coalesce(origins.modified_at, files.exported_at), files.exported_at) as version_at
    from origins
    inner join files on origins.file_id = files.file_id
    left join ignored_values
        on
            origins.file_id = ignored_values.file_id
            and origins.record_number = ignored_values.record_number
)

select * from final

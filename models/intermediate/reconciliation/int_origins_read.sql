-- One row per row of a mart in doubt whose origin names its key: when does that count from, is it equal?
{%- set feeds = feeds_of_files(source('landing', 'files'), 'raw_table is not null') %}
with files as (
    select
        files.*,
        false as is_visible
    from {{ source('landing', 'files') }} as files
),

unmatched as (
    select * from {{ ref('int_records_unmatched') }}
    where processed_file_id is not null
),

-- A record in scope that differs from the row made of it has been read already.
read_already as (
    select
        source_id,
        feed,
        record_key,
        file_id,
        record_number,
        is_deletion,
        modified_at,
        {{ items_of('differences', 'column_name') }} as differing_columns
    from unmatched
    where file_id = processed_file_id and record_number = processed_record_number and not is_malformed
),

doubts as (
    select distinct
        unmatched.processed_file_id as file_id,
        unmatched.processed_record_number as record_number
    from unmatched
    left join read_already
        on
            unmatched.processed_file_id = read_already.file_id
            and unmatched.processed_record_number = read_already.record_number
    where read_already.file_id is null
),

origins as (
    select * from read_already
    union all
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

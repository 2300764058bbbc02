-- One row per record of the newest files of oneroster/categories that dim_category does not hold as it is,
-- per active row that none of them names, and per key that stands there twice. Written by
-- scripts/comparison_sql.py.
with files as (
    select * from {{ ref('int_compared_files') }}
    where feed = 'oneroster/categories'
),

-- Of a record that breaks the grammar of CSV no more is known than its key.
records as not materialized (
    select
        files.source_id,
        files.is_visible,
        files.is_in_scope,
        files.is_since_latest_bulk,
        nullif(trim(records.sourcedid), '') as record_key,
        false as is_malformed,
        records.*
    from {{ source('raw_oneroster', 'categories') }} as records
    inner join files on records.file_id = files.file_id

    union all by name

    select
        files.source_id,
        files.is_visible,
        files.is_in_scope,
        files.is_since_latest_bulk,
        records.record_key,
        true as is_malformed,
        records.file_id,
        records.record_number,
        records.line_number
    from {{ source('landing', 'malformed_records') }} as records
    inner join files on records.file_id = files.file_id
),

records_in_scope as (
    select * from records
    where is_in_scope
),

-- One pass over both sides finds what is in doubt; nothing else is looked at afterwards.
doubts as (
    select
        coalesce(records.source_id, processed.source_id) as source_id,
        coalesce(records.record_key, processed.category_id) as record_key,
        records.file_id,
        records.record_number,
        records.line_number,
        coalesce(records.is_malformed, false) as is_malformed,
        processed.file_id as processed_file_id,
        processed.record_number as processed_record_number,
        processed.is_active,
        1 as row_count
    from records_in_scope as records
    full join {{ ref('dim_category') }} as processed
        on records.source_id = processed.source_id and records.record_key = processed.category_id
    where
        case
            when records.file_id is null then processed.is_active
            when records.is_malformed then true
            when trim(records.status) in ('tobedeleted', 'inactive')
                then
                    processed.is_active
                    or records.file_id <> processed.file_id
                    or records.record_number <> processed.record_number
            when processed.is_active is distinct from true then true
            when records.is_visible and records.file_id <> processed.file_id then true
            when records.is_visible and records.record_number <> processed.record_number then true
            else
                try_cast(trim(records.datelastmodified) as timestamptz) at time zone 'UTC'
                is distinct from processed.modified_at
                or (processed.modified_at is null and trim(records.datelastmodified) <> '')
                or nullif(trim(records.title), '') is distinct from processed.name
                or try_cast(trim(records.weight) as integer) is distinct from processed.weight
                or (processed.weight is null and trim(records.weight) <> '')
        end

    union all by name

    select
        source_id,
        category_id as record_key,
        false as is_malformed,
        min(file_id) as processed_file_id,
        min(record_number) as processed_record_number,
        true as is_active,
        count(*) as row_count
    from {{ ref('dim_category') }}
    group by source_id, category_id
    having count(*) > 1
),

keys as (
    select distinct
        source_id,
        record_key
    from doubts
),

processed_rows as (
    select processed.*
    from {{ ref('dim_category') }} as processed
    inner join keys
        on processed.source_id = keys.source_id and processed.category_id = keys.record_key
),

staged_rows as (
    select staged.*
    from {{ ref('stg_oneroster__categories') }} as staged
    inner join keys
        on staged.source_id = keys.source_id and staged.category_id = keys.record_key
),

staged_counts as (
    select
        source_id,
        category_id as record_key,
        count(*) as staged_count
    from staged_rows
    group by source_id, category_id
),

-- The records in doubt, and those of which the rows in doubt say that they are made.
pointers as (
    select
        file_id,
        record_number
    from doubts
    union distinct
    select
        processed_file_id,
        processed_record_number
    from doubts
),

compared as (
    select
        records.source_id,
        records.record_key,
        records.file_id,
        records.record_number,
        coalesce(trim(records.status) in ('tobedeleted', 'inactive'), false) as is_deletion,
        try_cast(trim(records.datelastmodified) as timestamptz) at time zone 'UTC' as modified_at,
        [
            {
                'raw_column': 'dateLastModified', 'processed_column': 'modified_at',
                'source_value': trim(records.datelastmodified),
                'processed_value': cast(processed.modified_at as varchar),
                'is_staged': staged.modified_at = processed.modified_at,
                'is_different': try_cast(trim(records.datelastmodified) as timestamptz) at time zone 'UTC'
                is distinct from processed.modified_at
                or (processed.modified_at is null and trim(records.datelastmodified) <> '')
            },
            {
                'raw_column': 'title', 'processed_column': 'name', 'source_value': trim(records.title),
                'processed_value': processed.name, 'is_staged': staged.name = processed.name,
                'is_different': nullif(trim(records.title), '') is distinct from processed.name
            },
            {
                'raw_column': 'weight', 'processed_column': 'weight', 'source_value': trim(records.weight),
                'processed_value': cast(processed.weight as varchar),
                'is_staged': staged.weight = processed.weight,
                'is_different': try_cast(trim(records.weight) as integer) is distinct from processed.weight
                or (processed.weight is null and trim(records.weight) <> '')
            }
        ] as compared_values
    from records
    inner join pointers
        on records.file_id = pointers.file_id and records.record_number = pointers.record_number
    left join processed_rows as processed
        on records.source_id = processed.source_id and records.record_key = processed.category_id
    left join staged_rows as staged
        on records.source_id = staged.source_id and records.record_key = staged.category_id
    where not records.is_malformed
),

-- A key that no record in scope names may be named by the latest bulk or a file since.
present_keys as (
    select distinct
        records.source_id,
        records.record_key
    from records
    inner join keys on records.source_id = keys.source_id and records.record_key = keys.record_key
    where records.is_since_latest_bulk and not records.is_in_scope
)

select
    'oneroster/categories' as feed,
    doubts.*,
    sources.is_deletion,
    sources.modified_at,
    sources.compared_values,
    origins.file_id is not null as has_origin,
    origins.is_deletion as is_origin_deletion,
    origins.modified_at as origin_modified_at,
    origins.compared_values as origin_values,
    present_keys.record_key is not null as is_present,
    staged_counts.staged_count
from doubts
left join compared as sources
    on doubts.file_id = sources.file_id and doubts.record_number = sources.record_number
left join compared as origins
    on
        doubts.processed_file_id = origins.file_id
        and doubts.processed_record_number = origins.record_number
        and doubts.source_id = origins.source_id
        and doubts.record_key = origins.record_key
left join present_keys
    on doubts.source_id = present_keys.source_id and doubts.record_key = present_keys.record_key
left join staged_counts
    on doubts.source_id = staged_counts.source_id and doubts.record_key = staged_counts.record_key

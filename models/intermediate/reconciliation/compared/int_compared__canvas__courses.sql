-- One row per doubt that canvas/courses and dim_canvas_course raise, per record that speaks of one, and per key of one
-- that is present. In doubt is a record of the newest files that the mart does not hold as it is, an active row that
-- none of them names, and a key that stands twice. Written by `rollcall layouts compare`.
{{ config(enabled=is_used('canvas')) }}

with files as (
    select * from {{ ref('int_compared_files') }}
    where feed = 'canvas/courses'
),

-- What is compared of a record.
raw_records as not materialized (
    select
        records.file_id,
        records.record_number,
        records.line_number,
        records.course_id,
        records.short_name,
        records.long_name,
        records.account_id,
        records.term_id,
        records.status,
        records.start_date,
        records.end_date
    from {{ source('raw_canvas', 'courses') }} as records
),

-- White space around a text never counts.
trimmed_records as not materialized (
    select
        file_id,
        record_number,
        line_number,
        case
            when
                left(columns(* exclude (file_id, record_number, line_number)), 1) between '!' and '~'
                and right(columns(* exclude (file_id, record_number, line_number)), 1) between '!' and '~'
                then columns(* exclude (file_id, record_number, line_number))
            else nullif(
                regexp_replace(
                    columns(* exclude (file_id, record_number, line_number)), '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
                ),
                ''
            )
        end
    from raw_records
),

-- Of a record that breaks the grammar of CSV no more is known than its key.
records as (
    select
        files.source_id,
        files.is_visible,
        files.time_zone,
        files.naive_time_zone,
        records.course_id as record_key,
        false as is_malformed,
        records.*
    from trimmed_records as records
    inner join files on records.file_id = files.file_id and files.is_in_scope

    union all by name

    select
        files.source_id,
        files.is_visible,
        records.record_key,
        true as is_malformed,
        records.file_id,
        records.record_number,
        records.line_number
    from {{ source('landing', 'malformed_records') }} as records
    inner join files on records.file_id = files.file_id and files.is_in_scope
),

-- One pass over both sides finds what is in doubt; nothing else is looked at afterwards.
doubts as (
    select
        coalesce(records.source_id, processed.source_id) as source_id,
        coalesce(records.record_key, processed.course_id) as record_key,
        records.file_id,
        records.record_number,
        records.line_number,
        coalesce(records.is_malformed, false) as is_malformed,
        processed.file_id as processed_file_id,
        processed.record_number as processed_record_number,
        processed.is_active,
        1 as row_count
    from records
    full join {{ ref('dim_canvas_course') }} as processed
        on records.source_id = processed.source_id and records.record_key = processed.course_id
    where
        (records.file_id is null and processed.is_active)
        or records.is_malformed
        or (
            records.file_id is not null
            and (
                processed.is_active is distinct from true
                or (records.is_visible and records.file_id <> processed.file_id)
                or (records.is_visible and records.record_number <> processed.record_number)
                or records.short_name is distinct from processed.short_name
                or records.long_name is distinct from processed.long_name
                or records.account_id is distinct from processed.account_id
                or records.term_id is distinct from processed.term_id
                or records.status is distinct from processed.status
                or {{ rollcall.compared_instant('records.start_date') }} is distinct from processed.start_at
                or (processed.start_at is null and records.start_date is not null)
                or {{ rollcall.compared_instant('records.end_date') }} is distinct from processed.end_at
                or (processed.end_at is null and records.end_date is not null)
            )
        )

    union all by name

    select
        source_id,
        course_id as record_key,
        false as is_malformed,
        min(file_id) as processed_file_id,
        min(record_number) as processed_record_number,
        true as is_active,
        count(*) as row_count
    from {{ ref('dim_canvas_course') }}
    group by source_id, course_id
    having count(*) > 1
),

keys as (
    select distinct
        source_id,
        record_key
    from doubts
),

processed_rows as (
    select
        processed.*,
        row_number() over (
            partition by processed.source_id, processed.course_id
            order by processed.file_id, processed.record_number
        ) as place
    from {{ ref('dim_canvas_course') }} as processed
    inner join keys
        on processed.source_id = keys.source_id and processed.course_id = keys.record_key
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

pointed_records as (
    select
        files.source_id,
        files.time_zone,
        files.naive_time_zone,
        records.*
    from trimmed_records as records
    inner join pointers
        on records.file_id = pointers.file_id and records.record_number = pointers.record_number
    inner join files on records.file_id = files.file_id
),

compared_records as (
    select
        records.source_id,
        records.course_id as record_key,
        records.file_id,
        records.record_number,
        false as is_deletion,
        cast(null as timestamp) as modified_at,
        [
            {
                'raw_column': 'short_name', 'processed_column': 'short_name', 'source_value': records.short_name,
                'processed_value': processed.short_name,
                'is_different': records.short_name is distinct from processed.short_name
            },
            {
                'raw_column': 'long_name', 'processed_column': 'long_name', 'source_value': records.long_name,
                'processed_value': processed.long_name,
                'is_different': records.long_name is distinct from processed.long_name
            },
            {
                'raw_column': 'account_id', 'processed_column': 'account_id', 'source_value': records.account_id,
                'processed_value': processed.account_id,
                'is_different': records.account_id is distinct from processed.account_id
            },
            {
                'raw_column': 'term_id', 'processed_column': 'term_id', 'source_value': records.term_id,
                'processed_value': processed.term_id, 'is_different': records.term_id is distinct from processed.term_id
            },
            {
                'raw_column': 'status', 'processed_column': 'status', 'source_value': records.status,
                'processed_value': processed.status, 'is_different': records.status is distinct from processed.status
            },
            {
                'raw_column': 'start_date', 'processed_column': 'start_at', 'source_value': records.start_date,
                'processed_value': cast(processed.start_at as varchar),
                'is_different': {{ rollcall.compared_instant('records.start_date') }}
                is distinct from processed.start_at
                or (processed.start_at is null and records.start_date is not null)
            },
            {
                'raw_column': 'end_date', 'processed_column': 'end_at', 'source_value': records.end_date,
                'processed_value': cast(processed.end_at as varchar),
                'is_different': {{ rollcall.compared_instant('records.end_date') }} is distinct from processed.end_at
                or (processed.end_at is null and records.end_date is not null)
            }
        ] as compared_values
    from pointed_records as records
    left join processed_rows as processed
        on
            records.source_id = processed.source_id
            and records.course_id = processed.course_id
            and processed.place = 1
),

-- A key that no newest file names may be named by the latest bulk or a file since.
present_keys as (
    select distinct
        files.source_id,
        records.course_id as record_key
    from trimmed_records as records
    inner join files
        on records.file_id = files.file_id and files.is_since_latest_bulk and not files.is_in_scope
    inner join keys
        on files.source_id = keys.source_id and records.course_id = keys.record_key
)

select
    'doubt' as kind,
    'canvas/courses' as feed,
    *
from doubts
union all by name
select
    'record' as kind,
    'canvas/courses' as feed,
    *
from compared_records
union all by name
select
    'present_key' as kind,
    'canvas/courses' as feed,
    *
from present_keys

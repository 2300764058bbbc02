-- One row per doubt that canvas/users and dim_canvas_user raise, per record that speaks of one, and per key of one that
-- is present. In doubt is a record of the newest files that the mart does not hold as it is, an active row that none of
-- them names, and a key that stands twice. Written by `rollcall layouts compare`.
{{ config(enabled=is_used('canvas')) }}

with files as (
    select * from {{ ref('int_compared_files') }}
    where feed = 'canvas/users'
),

-- What is compared of a record.
raw_records as not materialized (
    select
        records.file_id,
        records.record_number,
        records.line_number,
        records.user_id,
        records.login_id,
        records.first_name,
        records.last_name,
        records.full_name,
        records.sortable_name,
        records.email,
        records.declared_user_type,
        records.status
    from {{ source('raw_canvas', 'users') }} as records
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
        records.user_id as record_key,
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
        coalesce(records.record_key, processed.user_id) as record_key,
        records.file_id,
        records.record_number,
        records.line_number,
        coalesce(records.is_malformed, false) as is_malformed,
        processed.file_id as processed_file_id,
        processed.record_number as processed_record_number,
        processed.is_active,
        1 as row_count
    from records
    full join {{ ref('dim_canvas_user') }} as processed
        on records.source_id = processed.source_id and records.record_key = processed.user_id
    where
        (records.file_id is null and processed.is_active)
        or records.is_malformed
        or (
            records.file_id is not null
            and (
                processed.is_active is distinct from true
                or (records.is_visible and records.file_id <> processed.file_id)
                or (records.is_visible and records.record_number <> processed.record_number)
                or records.login_id is distinct from processed.login_id
                or records.first_name is distinct from processed.given_name
                or records.last_name is distinct from processed.family_name
                or records.full_name is distinct from processed.full_name
                or records.sortable_name is distinct from processed.sortable_name
                or records.email is distinct from processed.email
                or records.declared_user_type is distinct from processed.declared_user_type
                or records.status is distinct from processed.status
            )
        )

    union all by name

    select
        source_id,
        user_id as record_key,
        false as is_malformed,
        min(file_id) as processed_file_id,
        min(record_number) as processed_record_number,
        true as is_active,
        count(*) as row_count
    from {{ ref('dim_canvas_user') }}
    group by source_id, user_id
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
            partition by processed.source_id, processed.user_id
            order by processed.file_id, processed.record_number
        ) as place
    from {{ ref('dim_canvas_user') }} as processed
    inner join keys
        on processed.source_id = keys.source_id and processed.user_id = keys.record_key
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
        records.user_id as record_key,
        records.file_id,
        records.record_number,
        false as is_deletion,
        cast(null as timestamp) as modified_at,
        [
            {
                'raw_column': 'login_id', 'processed_column': 'login_id', 'source_value': records.login_id,
                'processed_value': processed.login_id,
                'is_different': records.login_id is distinct from processed.login_id
            },
            {
                'raw_column': 'first_name', 'processed_column': 'given_name', 'source_value': records.first_name,
                'processed_value': processed.given_name,
                'is_different': records.first_name is distinct from processed.given_name
            },
            {
                'raw_column': 'last_name', 'processed_column': 'family_name', 'source_value': records.last_name,
                'processed_value': processed.family_name,
                'is_different': records.last_name is distinct from processed.family_name
            },
            {
                'raw_column': 'full_name', 'processed_column': 'full_name', 'source_value': records.full_name,
                'processed_value': processed.full_name,
                'is_different': records.full_name is distinct from processed.full_name
            },
            {
                'raw_column': 'sortable_name', 'processed_column': 'sortable_name',
                'source_value': records.sortable_name, 'processed_value': processed.sortable_name,
                'is_different': records.sortable_name is distinct from processed.sortable_name
            },
            {
                'raw_column': 'email', 'processed_column': 'email', 'source_value': records.email,
                'processed_value': processed.email, 'is_different': records.email is distinct from processed.email
            },
            {
                'raw_column': 'declared_user_type', 'processed_column': 'declared_user_type',
                'source_value': records.declared_user_type, 'processed_value': processed.declared_user_type,
                'is_different': records.declared_user_type is distinct from processed.declared_user_type
            },
            {
                'raw_column': 'status', 'processed_column': 'status', 'source_value': records.status,
                'processed_value': processed.status, 'is_different': records.status is distinct from processed.status
            }
        ] as compared_values
    from pointed_records as records
    left join processed_rows as processed
        on
            records.source_id = processed.source_id
            and records.user_id = processed.user_id
            and processed.place = 1
),

-- A key that no newest file names may be named by the latest bulk or a file since.
present_keys as (
    select distinct
        files.source_id,
        records.user_id as record_key
    from trimmed_records as records
    inner join files
        on records.file_id = files.file_id and files.is_since_latest_bulk and not files.is_in_scope
    inner join keys
        on files.source_id = keys.source_id and records.user_id = keys.record_key
)

select
    'doubt' as kind,
    'canvas/users' as feed,
    *
from doubts
union all by name
select
    'record' as kind,
    'canvas/users' as feed,
    *
from compared_records
union all by name
select
    'present_key' as kind,
    'canvas/users' as feed,
    *
from present_keys

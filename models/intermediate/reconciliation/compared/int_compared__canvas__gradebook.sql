-- One row per doubt that canvas/gradebook and fct_canvas_score raise, per record that speaks of one, and per key of one
-- that is present. In doubt is a record of the newest files that the mart does not hold as it is, an active row that
-- none of them names, and a key that stands twice. Written by `rollcall layouts compare`.
-- noqa: disable=LT02,LT05,RF05
{{ config(enabled=is_used('canvas')) }}

with files as (
    select * from {{ ref('int_compared_files') }}
    where feed = 'canvas/gradebook'
),

-- What is compared of a record.
raw_records as not materialized (
    select
        records.file_id,
        records.record_number,
        records.line_number,
        records.id,
        records."[id]",
        records.student,
        records."SIS User ID",
        records."SIS Login ID",
        records.section,
        records."[title]",
        records."[cell]",
        records."Points Possible"
    from {{ source('raw_canvas', 'gradebook') }} as records
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
        replace(records.id, '|', '||') || ' | ' || replace(records."[id]", '|', '||') as record_key,
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
        coalesce(records.record_key, replace(processed.student_id, '|', '||') || ' | ' || replace(processed.assignment_id, '|', '||')) as record_key,
        records.file_id,
        records.record_number,
        records.line_number,
        coalesce(records.is_malformed, false) as is_malformed,
        processed.file_id as processed_file_id,
        processed.record_number as processed_record_number,
        processed.is_active,
        1 as row_count
    from records
    full join {{ ref('fct_canvas_score') }} as processed
        on records.source_id = processed.source_id and records.record_key = replace(processed.student_id, '|', '||') || ' | ' || replace(processed.assignment_id, '|', '||')
    where
        (records.file_id is null and processed.is_active)
        or records.is_malformed
        or (
            records.file_id is not null
            and (
                processed.is_active is distinct from true
                or (records.is_visible and records.file_id <> processed.file_id)
                or (records.is_visible and records.record_number <> processed.record_number)
                or records.student is distinct from processed.student_name
                or records."SIS User ID" is distinct from processed.student_sis_id
                or records."SIS Login ID" is distinct from processed.student_login
                or records.section is distinct from processed.section_names
                or records."[title]" is distinct from processed.assignment_title
                or records."[cell]" is distinct from processed.cell
                or records."Points Possible" is distinct from processed.points_cell
            )
        )

    union all by name

    select
        source_id,
        replace(student_id, '|', '||') || ' | ' || replace(assignment_id, '|', '||') as record_key,
        false as is_malformed,
        min(file_id) as processed_file_id,
        min(record_number) as processed_record_number,
        true as is_active,
        count(*) as row_count
    from {{ ref('fct_canvas_score') }}
    group by source_id, replace(student_id, '|', '||') || ' | ' || replace(assignment_id, '|', '||')
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
            partition by processed.source_id, replace(processed.student_id, '|', '||') || ' | ' || replace(processed.assignment_id, '|', '||')
            order by processed.file_id, processed.record_number
        ) as place
    from {{ ref('fct_canvas_score') }} as processed
    inner join keys
        on processed.source_id = keys.source_id and replace(processed.student_id, '|', '||') || ' | ' || replace(processed.assignment_id, '|', '||') = keys.record_key
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
        replace(records.id, '|', '||') || ' | ' || replace(records."[id]", '|', '||') as record_key,
        records.file_id,
        records.record_number,
        false as is_deletion,
        cast(null as timestamp) as modified_at,
        [
            {
                'raw_column': 'Student', 'processed_column': 'student_name', 'source_value': records.student,
                'processed_value': processed.student_name,
                'is_different': records.student is distinct from processed.student_name
            },
            {
                'raw_column': 'SIS User ID', 'processed_column': 'student_sis_id',
                'source_value': records."SIS User ID", 'processed_value': processed.student_sis_id,
                'is_different': records."SIS User ID" is distinct from processed.student_sis_id
            },
            {
                'raw_column': 'SIS Login ID', 'processed_column': 'student_login',
                'source_value': records."SIS Login ID", 'processed_value': processed.student_login,
                'is_different': records."SIS Login ID" is distinct from processed.student_login
            },
            {
                'raw_column': 'Section', 'processed_column': 'section_names', 'source_value': records.section,
                'processed_value': processed.section_names,
                'is_different': records.section is distinct from processed.section_names
            },
            {
                'raw_column': '[title]', 'processed_column': 'assignment_title', 'source_value': records."[title]",
                'processed_value': processed.assignment_title,
                'is_different': records."[title]" is distinct from processed.assignment_title
            },
            {
                'raw_column': '[cell]', 'processed_column': 'cell', 'source_value': records."[cell]",
                'processed_value': processed.cell, 'is_different': records."[cell]" is distinct from processed.cell
            },
            {
                'raw_column': 'Points Possible', 'processed_column': 'points_cell',
                'source_value': records."Points Possible", 'processed_value': processed.points_cell,
                'is_different': records."Points Possible" is distinct from processed.points_cell
            }
        ] as compared_values
    from pointed_records as records
    left join processed_rows as processed
        on
            records.source_id = processed.source_id
            and replace(records.id, '|', '||') || ' | ' || replace(records."[id]", '|', '||') = replace(processed.student_id, '|', '||') || ' | ' || replace(processed.assignment_id, '|', '||')
            and processed.place = 1
),

-- A key that no newest file names may be named by the latest bulk or a file since.
present_keys as (
    select distinct
        files.source_id,
        replace(records.id, '|', '||') || ' | ' || replace(records."[id]", '|', '||') as record_key
    from trimmed_records as records
    inner join files
        on records.file_id = files.file_id and files.is_since_latest_bulk and not files.is_in_scope
    inner join keys
        on files.source_id = keys.source_id and replace(records.id, '|', '||') || ' | ' || replace(records."[id]", '|', '||') = keys.record_key
)

select
    'doubt' as kind,
    'canvas/gradebook' as feed,
    *
from doubts
union all by name
select
    'record' as kind,
    'canvas/gradebook' as feed,
    *
from compared_records
union all by name
select
    'present_key' as kind,
    'canvas/gradebook' as feed,
    *
from present_keys

-- One row per doubt that nwea/students and dim_nwea_student raise, per record that speaks of one, and per key of one
-- that is present. In doubt is a record of the newest files that the mart does not hold as it is, an active row that
-- none of them names, and a key that stands twice. Written by `rollcall layouts compare`.
-- noqa: disable=LT05
{{ config(enabled=is_used('nwea')) }}

with parts as (
    select * from {{ ref('int_compared_parts__nwea__students') }}
),

of_parts as (
    select
        file_id,
        bool_or(is_in_scope) as is_in_scope
    from parts
    group by file_id
),

files as (
    select
        files.* exclude (is_in_scope),
        files.is_in_scope or coalesce(of_parts.is_in_scope, false) as is_in_scope
    from {{ ref('int_compared_files') }} as files
    left join of_parts on files.file_id = of_parts.file_id
    where files.feed = 'nwea/students'
),

-- What is compared of a record.
raw_records as not materialized (
    select
        records.file_id,
        records.record_number,
        records.line_number,
        records.termname,
        records.schoolname,
        records.studentid,
        records.studentlastname,
        records.studentfirstname,
        records.studentdateofbirth,
        records.grade
    from {{ source('raw_nwea', 'students') }} as records
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
        replace(records.termname, '|', '||') || ' | ' || replace(records.schoolname, '|', '||') || ' | ' || replace(records.studentid, '|', '||') as record_key,
        false as is_malformed,
        records.*
    from trimmed_records as records
    inner join files on records.file_id = files.file_id and files.is_in_scope
    inner join parts
        on
            records.file_id = parts.file_id
            and records.termname is not distinct from parts.part
            and parts.is_in_scope

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
        coalesce(records.record_key, replace(processed.term_name, '|', '||') || ' | ' || replace(processed.school_name, '|', '||') || ' | ' || replace(processed.student_id, '|', '||')) as record_key,
        records.file_id,
        records.record_number,
        records.line_number,
        coalesce(records.is_malformed, false) as is_malformed,
        processed.file_id as processed_file_id,
        processed.record_number as processed_record_number,
        processed.is_active,
        1 as row_count
    from records
    full join {{ ref('dim_nwea_student') }} as processed
        on records.source_id = processed.source_id and records.record_key = replace(processed.term_name, '|', '||') || ' | ' || replace(processed.school_name, '|', '||') || ' | ' || replace(processed.student_id, '|', '||')
    where
        (records.file_id is null and processed.is_active)
        or records.is_malformed
        or (
            records.file_id is not null
            and (
                processed.is_active is distinct from true
                or (records.is_visible and records.file_id <> processed.file_id)
                or (records.is_visible and records.record_number <> processed.record_number)
                or records.studentlastname is distinct from processed.family_name
                or records.studentfirstname is distinct from processed.given_name
                or cast(if(records.studentdateofbirth like '%/____', try_strptime(records.studentdateofbirth, '%m/%d/%Y'), null) as date)
                is distinct from processed.birth_date
                or (processed.birth_date is null and records.studentdateofbirth is not null)
                or records.grade is distinct from processed.grade
            )
        )

    union all by name

    select
        source_id,
        replace(term_name, '|', '||') || ' | ' || replace(school_name, '|', '||') || ' | ' || replace(student_id, '|', '||') as record_key,
        false as is_malformed,
        min(file_id) as processed_file_id,
        min(record_number) as processed_record_number,
        true as is_active,
        count(*) as row_count
    from {{ ref('dim_nwea_student') }}
    group by source_id, replace(term_name, '|', '||') || ' | ' || replace(school_name, '|', '||') || ' | ' || replace(student_id, '|', '||')
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
            partition by processed.source_id, replace(processed.term_name, '|', '||') || ' | ' || replace(processed.school_name, '|', '||') || ' | ' || replace(processed.student_id, '|', '||')
            order by processed.file_id, processed.record_number
        ) as place
    from {{ ref('dim_nwea_student') }} as processed
    inner join keys
        on processed.source_id = keys.source_id and replace(processed.term_name, '|', '||') || ' | ' || replace(processed.school_name, '|', '||') || ' | ' || replace(processed.student_id, '|', '||') = keys.record_key
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
        replace(records.termname, '|', '||') || ' | ' || replace(records.schoolname, '|', '||') || ' | ' || replace(records.studentid, '|', '||') as record_key,
        records.file_id,
        records.record_number,
        false as is_deletion,
        cast(null as timestamp) as modified_at,
        parts.is_in_scope,
        [
            {
                'raw_column': 'StudentLastName', 'processed_column': 'family_name',
                'source_value': records.studentlastname, 'processed_value': processed.family_name,
                'is_different': records.studentlastname is distinct from processed.family_name
            },
            {
                'raw_column': 'StudentFirstName', 'processed_column': 'given_name',
                'source_value': records.studentfirstname, 'processed_value': processed.given_name,
                'is_different': records.studentfirstname is distinct from processed.given_name
            },
            {
                'raw_column': 'StudentDateOfBirth', 'processed_column': 'birth_date',
                'source_value': records.studentdateofbirth, 'processed_value': cast(processed.birth_date as varchar),
                'is_different':
                cast(if(records.studentdateofbirth like '%/____', try_strptime(records.studentdateofbirth, '%m/%d/%Y'), null) as date)
                is distinct from processed.birth_date
                or (processed.birth_date is null and records.studentdateofbirth is not null)
            },
            {
                'raw_column': 'Grade', 'processed_column': 'grade', 'source_value': records.grade,
                'processed_value': processed.grade, 'is_different': records.grade is distinct from processed.grade
            }
        ] as compared_values
    from pointed_records as records
    left join processed_rows as processed
        on
            records.source_id = processed.source_id
            and replace(records.termname, '|', '||') || ' | ' || replace(records.schoolname, '|', '||') || ' | ' || replace(records.studentid, '|', '||') = replace(processed.term_name, '|', '||') || ' | ' || replace(processed.school_name, '|', '||') || ' | ' || replace(processed.student_id, '|', '||')
            and processed.place = 1
    left join parts
        on records.file_id = parts.file_id and records.termname is not distinct from parts.part
),

-- A key that no newest file names may be named since the latest bulk that lists the TermName of its row.
named as (
    select
        records.file_id,
        replace(records.termname, '|', '||') || ' | ' || replace(records.schoolname, '|', '||') || ' | ' || replace(records.studentid, '|', '||') as record_key
    from trimmed_records as records
    union all
    select
        file_id,
        record_key
    from {{ source('landing', 'malformed_records') }}
),

bulks as (
    select distinct
        source_id,
        part,
        newest_bulk_file_id,
        latest_bulk_exported_at
    from parts
),

present_keys as (
    select distinct
        files.source_id,
        named.record_key,
        bulks.newest_bulk_file_id as file_id
    from named
    inner join files on named.file_id = files.file_id and files.is_visible
    inner join processed_rows as processed
        on
            files.source_id = processed.source_id
            and named.record_key = replace(processed.term_name, '|', '||') || ' | ' || replace(processed.school_name, '|', '||') || ' | ' || replace(processed.student_id, '|', '||')
            and processed.place = 1
    left join bulks
        on
            processed.source_id = bulks.source_id
            and processed.term_name is not distinct from bulks.part
    where coalesce(files.exported_at >= bulks.latest_bulk_exported_at, true)
)

select
    'doubt' as kind,
    'nwea/students' as feed,
    *
from doubts
union all by name
select
    'record' as kind,
    'nwea/students' as feed,
    *
from compared_records
union all by name
select
    'present_key' as kind,
    'nwea/students' as feed,
    *
from present_keys

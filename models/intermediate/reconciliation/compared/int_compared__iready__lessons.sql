-- One row per doubt that iready/lessons and fct_iready_lesson raise, per record that speaks of one, and per key of one
-- that is present. In doubt is a record of the newest files that the mart does not hold as it is, an active row that
-- none of them names, and a key that stands twice. Written by `rollcall layouts compare`.
-- noqa: disable=LT02,LT05,RF05
{{ config(enabled=is_used('iready')) }}

with parts as (
    select * from {{ ref('int_compared_parts__iready__lessons') }}
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
    where files.feed = 'iready/lessons'
),

-- What is compared of a record.
raw_records as not materialized (
    select
        records.file_id,
        records.record_number,
        records.line_number,
        records."Student ID",
        records."Lesson ID",
        records."Completion Date",
        records."Total Time on Lesson (min)",
        records.score,
        records."Last Name",
        records."First Name",
        records."Student Grade",
        records."Academic Year",
        records.school,
        records.subject,
        records.domain,
        records."Lesson Level",
        records."Lesson Name",
        records."Lesson Objective",
        records."Passed or Not Passed",
        records."Teacher-Assigned Lesson"
    from {{ source('raw_iready', 'lessons') }} as records
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
        replace(records."Student ID", '|', '||') || ' | ' || replace(records."Lesson ID", '|', '||') || ' | ' || replace(coalesce(cast(cast(if(records."Completion Date" like '%/____', try_strptime(records."Completion Date", '%m/%d/%Y'), null) as date) as varchar), records."Completion Date"), '|', '||') || ' | ' || replace(coalesce(cast(try_cast(records."Total Time on Lesson (min)" as integer) as varchar), records."Total Time on Lesson (min)"), '|', '||') || ' | ' || replace(coalesce(cast(try_cast(records.score as integer) as varchar), records.score), '|', '||') as record_key,
        false as is_malformed,
        records.*
    from trimmed_records as records
    inner join files on records.file_id = files.file_id and files.is_in_scope
    inner join parts
        on
            records.file_id = parts.file_id
            and try_cast(left(records."Academic Year", 4) as integer) + cast(length(records."Academic Year") > 4 as integer) is not distinct from parts.part
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
        coalesce(records.record_key, replace(processed.student_id, '|', '||') || ' | ' || replace(processed.lesson_id, '|', '||') || ' | ' || replace(cast(processed.completion_date as varchar), '|', '||') || ' | ' || replace(cast(processed.total_minutes as varchar), '|', '||') || ' | ' || replace(cast(processed.score_percent as varchar), '|', '||')) as record_key,
        records.file_id,
        records.record_number,
        records.line_number,
        coalesce(records.is_malformed, false) as is_malformed,
        processed.file_id as processed_file_id,
        processed.record_number as processed_record_number,
        processed.is_active,
        1 as row_count
    from records
    full join {{ ref('fct_iready_lesson') }} as processed
        on records.source_id = processed.source_id and records.record_key = replace(processed.student_id, '|', '||') || ' | ' || replace(processed.lesson_id, '|', '||') || ' | ' || replace(cast(processed.completion_date as varchar), '|', '||') || ' | ' || replace(cast(processed.total_minutes as varchar), '|', '||') || ' | ' || replace(cast(processed.score_percent as varchar), '|', '||')
    where
        (records.file_id is null and processed.is_active)
        or records.is_malformed
        or (
            records.file_id is not null
            and (
                processed.is_active is distinct from true
                or (records.is_visible and records.file_id <> processed.file_id)
                or (records.is_visible and records.record_number <> processed.record_number)
                or records."Last Name" is distinct from processed.family_name
                or records."First Name" is distinct from processed.given_name
                or records."Student Grade" is distinct from processed.grade
                or try_cast(left(records."Academic Year", 4) as integer)
                + cast(length(records."Academic Year") > 4 as integer)
                is distinct from processed.data_year
                or (processed.data_year is null and records."Academic Year" is not null)
                or records.school is distinct from processed.school_name
                or records.subject is distinct from processed.subject
                or records.domain is distinct from processed.domain
                or records."Lesson Level" is distinct from processed.lesson_level
                or records."Lesson Name" is distinct from processed.lesson_name
                or records."Lesson Objective" is distinct from processed.lesson_objective
                or records."Passed or Not Passed" is distinct from processed.passed_code
                or records."Teacher-Assigned Lesson" is distinct from processed.teacher_assigned_code
            )
        )

    union all by name

    select
        source_id,
        replace(student_id, '|', '||') || ' | ' || replace(lesson_id, '|', '||') || ' | ' || replace(cast(completion_date as varchar), '|', '||') || ' | ' || replace(cast(total_minutes as varchar), '|', '||') || ' | ' || replace(cast(score_percent as varchar), '|', '||') as record_key,
        false as is_malformed,
        min(file_id) as processed_file_id,
        min(record_number) as processed_record_number,
        true as is_active,
        count(*) as row_count
    from {{ ref('fct_iready_lesson') }}
    group by source_id, replace(student_id, '|', '||') || ' | ' || replace(lesson_id, '|', '||') || ' | ' || replace(cast(completion_date as varchar), '|', '||') || ' | ' || replace(cast(total_minutes as varchar), '|', '||') || ' | ' || replace(cast(score_percent as varchar), '|', '||')
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
            partition by processed.source_id, replace(processed.student_id, '|', '||') || ' | ' || replace(processed.lesson_id, '|', '||') || ' | ' || replace(cast(processed.completion_date as varchar), '|', '||') || ' | ' || replace(cast(processed.total_minutes as varchar), '|', '||') || ' | ' || replace(cast(processed.score_percent as varchar), '|', '||')
            order by processed.file_id, processed.record_number
        ) as place
    from {{ ref('fct_iready_lesson') }} as processed
    inner join keys
        on processed.source_id = keys.source_id and replace(processed.student_id, '|', '||') || ' | ' || replace(processed.lesson_id, '|', '||') || ' | ' || replace(cast(processed.completion_date as varchar), '|', '||') || ' | ' || replace(cast(processed.total_minutes as varchar), '|', '||') || ' | ' || replace(cast(processed.score_percent as varchar), '|', '||') = keys.record_key
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
        replace(records."Student ID", '|', '||') || ' | ' || replace(records."Lesson ID", '|', '||') || ' | ' || replace(coalesce(cast(cast(if(records."Completion Date" like '%/____', try_strptime(records."Completion Date", '%m/%d/%Y'), null) as date) as varchar), records."Completion Date"), '|', '||') || ' | ' || replace(coalesce(cast(try_cast(records."Total Time on Lesson (min)" as integer) as varchar), records."Total Time on Lesson (min)"), '|', '||') || ' | ' || replace(coalesce(cast(try_cast(records.score as integer) as varchar), records.score), '|', '||') as record_key,
        records.file_id,
        records.record_number,
        false as is_deletion,
        cast(null as timestamp) as modified_at,
        parts.is_in_scope,
        [
            {
                'raw_column': 'Last Name', 'processed_column': 'family_name', 'source_value': records."Last Name",
                'processed_value': processed.family_name,
                'is_different': records."Last Name" is distinct from processed.family_name
            },
            {
                'raw_column': 'First Name', 'processed_column': 'given_name', 'source_value': records."First Name",
                'processed_value': processed.given_name,
                'is_different': records."First Name" is distinct from processed.given_name
            },
            {
                'raw_column': 'Student Grade', 'processed_column': 'grade', 'source_value': records."Student Grade",
                'processed_value': processed.grade,
                'is_different': records."Student Grade" is distinct from processed.grade
            },
            {
                'raw_column': 'Academic Year', 'processed_column': 'data_year', 'source_value': records."Academic Year",
                'processed_value': cast(processed.data_year as varchar),
                'is_different':
                try_cast(left(records."Academic Year", 4) as integer)
                + cast(length(records."Academic Year") > 4 as integer)
                is distinct from processed.data_year
                or (processed.data_year is null and records."Academic Year" is not null)
            },
            {
                'raw_column': 'School', 'processed_column': 'school_name', 'source_value': records.school,
                'processed_value': processed.school_name,
                'is_different': records.school is distinct from processed.school_name
            },
            {
                'raw_column': 'Subject', 'processed_column': 'subject', 'source_value': records.subject,
                'processed_value': processed.subject, 'is_different': records.subject is distinct from processed.subject
            },
            {
                'raw_column': 'Domain', 'processed_column': 'domain', 'source_value': records.domain,
                'processed_value': processed.domain, 'is_different': records.domain is distinct from processed.domain
            },
            {
                'raw_column': 'Lesson Level', 'processed_column': 'lesson_level',
                'source_value': records."Lesson Level", 'processed_value': processed.lesson_level,
                'is_different': records."Lesson Level" is distinct from processed.lesson_level
            },
            {
                'raw_column': 'Lesson Name', 'processed_column': 'lesson_name', 'source_value': records."Lesson Name",
                'processed_value': processed.lesson_name,
                'is_different': records."Lesson Name" is distinct from processed.lesson_name
            },
            {
                'raw_column': 'Lesson Objective', 'processed_column': 'lesson_objective',
                'source_value': records."Lesson Objective", 'processed_value': processed.lesson_objective,
                'is_different': records."Lesson Objective" is distinct from processed.lesson_objective
            },
            {
                'raw_column': 'Passed or Not Passed', 'processed_column': 'passed_code',
                'source_value': records."Passed or Not Passed", 'processed_value': processed.passed_code,
                'is_different': records."Passed or Not Passed" is distinct from processed.passed_code
            },
            {
                'raw_column': 'Teacher-Assigned Lesson', 'processed_column': 'teacher_assigned_code',
                'source_value': records."Teacher-Assigned Lesson", 'processed_value': processed.teacher_assigned_code,
                'is_different': records."Teacher-Assigned Lesson" is distinct from processed.teacher_assigned_code
            }
        ] as compared_values
    from pointed_records as records
    left join processed_rows as processed
        on
            records.source_id = processed.source_id
            and replace(records."Student ID", '|', '||') || ' | ' || replace(records."Lesson ID", '|', '||') || ' | ' || replace(coalesce(cast(cast(if(records."Completion Date" like '%/____', try_strptime(records."Completion Date", '%m/%d/%Y'), null) as date) as varchar), records."Completion Date"), '|', '||') || ' | ' || replace(coalesce(cast(try_cast(records."Total Time on Lesson (min)" as integer) as varchar), records."Total Time on Lesson (min)"), '|', '||') || ' | ' || replace(coalesce(cast(try_cast(records.score as integer) as varchar), records.score), '|', '||') = replace(processed.student_id, '|', '||') || ' | ' || replace(processed.lesson_id, '|', '||') || ' | ' || replace(cast(processed.completion_date as varchar), '|', '||') || ' | ' || replace(cast(processed.total_minutes as varchar), '|', '||') || ' | ' || replace(cast(processed.score_percent as varchar), '|', '||')
            and processed.place = 1
    left join parts
        on records.file_id = parts.file_id and try_cast(left(records."Academic Year", 4) as integer) + cast(length(records."Academic Year") > 4 as integer) is not distinct from parts.part
),

-- A key that no newest file names may be named since the latest bulk that lists the Academic Year of its row.
named as (
    select
        records.file_id,
        replace(records."Student ID", '|', '||') || ' | ' || replace(records."Lesson ID", '|', '||') || ' | ' || replace(coalesce(cast(cast(if(records."Completion Date" like '%/____', try_strptime(records."Completion Date", '%m/%d/%Y'), null) as date) as varchar), records."Completion Date"), '|', '||') || ' | ' || replace(coalesce(cast(try_cast(records."Total Time on Lesson (min)" as integer) as varchar), records."Total Time on Lesson (min)"), '|', '||') || ' | ' || replace(coalesce(cast(try_cast(records.score as integer) as varchar), records.score), '|', '||') as record_key
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
            and named.record_key = replace(processed.student_id, '|', '||') || ' | ' || replace(processed.lesson_id, '|', '||') || ' | ' || replace(cast(processed.completion_date as varchar), '|', '||') || ' | ' || replace(cast(processed.total_minutes as varchar), '|', '||') || ' | ' || replace(cast(processed.score_percent as varchar), '|', '||')
            and processed.place = 1
    left join bulks
        on
            processed.source_id = bulks.source_id
            and processed.data_year is not distinct from bulks.part
    where coalesce(files.exported_at >= bulks.latest_bulk_exported_at, true)
)

select
    'doubt' as kind,
    'iready/lessons' as feed,
    *
from doubts
union all by name
select
    'record' as kind,
    'iready/lessons' as feed,
    *
from compared_records
union all by name
select
    'present_key' as kind,
    'iready/lessons' as feed,
    *
from present_keys

-- One row per doubt that state/in_ilearn and fct_ilearn_result raise, per record that speaks of one, and per key of one
-- that is present. In doubt is a record of the newest files that the mart does not hold as it is, an active row that
-- none of them names, and a key that stands twice. Written by `rollcall layouts compare`.
-- noqa: disable=LT02,LT05,RF05
{{ config(enabled=is_used('state')) }}

with files as (
    select * from {{ ref('int_compared_files') }}
    where feed = 'state/in_ilearn'
),

-- What is compared of a record.
raw_records as not materialized (
    select
        records.file_id,
        records.record_number,
        records.line_number,
        records.stn,
        records."Test name",
        records."Student First Name",
        records."Student Last Name",
        records."Student DOB",
        records."Enrolled Grade",
        records."Enrolled School",
        records."Enrolled School ID",
        records."Overall scale score",
        records."Overall proficiency level",
        records."ILEARN Reported Lexile® Measure",
        records."ILEARN Reported Quantile® Measure",
        records."College and Career Readiness Indicator",
        records."IREAD-3 Passing Status",
        records."IREAD-3 Overall scale score",
        records."ILEARN Reporting Category 1 Performance",
        records."I AM Reporting Category 1 Performance",
        records."IREAD-3 Reporting Category 1 Performance",
        records."Reporting Category 1 Percent Correct",
        records."ILEARN Reporting Category 2 Performance",
        records."I AM Reporting Category 2 Performance",
        records."IREAD-3 Reporting Category 2 Performance",
        records."Reporting Category 2 Percent Correct",
        records."ILEARN Reporting Category 3 Performance",
        records."I AM Reporting Category 3 Performance",
        records."IREAD-3 Reporting Category 3 Performance",
        records."Reporting Category 3 Percent Correct",
        records."ILEARN Reporting Category 4 Performance",
        records."I AM Reporting Category 4 Performance",
        records."ILEARN Reporting Category 5 Performance",
        records."ILEARN Checkpoints Percentile Rank",
        records."ILEARN Checkpoints Reporting Category 1 Performance",
        records."ILEARN Checkpoints Reporting Category 2 Performance",
        records."ILEARN Checkpoints Reporting Category 3 Performance"
    from {{ source('raw_state', 'in_ilearn') }} as records
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
        replace(records.stn, '|', '||') || ' | ' || replace(records."Test name", '|', '||') as record_key,
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
        coalesce(records.record_key, replace(processed.student_state_id, '|', '||') || ' | ' || replace(processed.test_name, '|', '||')) as record_key,
        records.file_id,
        records.record_number,
        records.line_number,
        coalesce(records.is_malformed, false) as is_malformed,
        processed.file_id as processed_file_id,
        processed.record_number as processed_record_number,
        processed.is_active,
        1 as row_count
    from records
    full join {{ ref('fct_ilearn_result') }} as processed
        on records.source_id = processed.source_id and records.record_key = replace(processed.student_state_id, '|', '||') || ' | ' || replace(processed.test_name, '|', '||')
    where
        (records.file_id is null and processed.is_active)
        or records.is_malformed
        or (
            records.file_id is not null
            and (
                processed.is_active is distinct from true
                or (records.is_visible and records.file_id <> processed.file_id)
                or (records.is_visible and records.record_number <> processed.record_number)
                or records."Student First Name" is distinct from processed.given_name
                or records."Student Last Name" is distinct from processed.family_name
                or cast(try_strptime(lpad(records."Student DOB", 8, '0'), '%m%d%Y') as date)
                is distinct from processed.birth_date
                or (processed.birth_date is null and records."Student DOB" is not null)
                or records."Enrolled Grade" is distinct from processed.grade
                or records."Enrolled School" is distinct from processed.school_name
                or records."Enrolled School ID" is distinct from processed.school_code
                or try_cast(records."Overall scale score" as integer) is distinct from processed.overall_scale_score
                or (processed.overall_scale_score is null and records."Overall scale score" is not null)
                or records."Overall proficiency level" is distinct from processed.proficiency_level
                or records."ILEARN Reported Lexile® Measure" is distinct from processed.lexile_measure
                or records."ILEARN Reported Quantile® Measure" is distinct from processed.quantile_measure
                or records."College and Career Readiness Indicator" is distinct from processed.ready_code
                or records."IREAD-3 Passing Status" is distinct from processed.iread_passing
                or try_cast(records."IREAD-3 Overall scale score" as integer)
                is distinct from processed.iread_scale_score
                or (processed.iread_scale_score is null and records."IREAD-3 Overall scale score" is not null)
                or records."ILEARN Reporting Category 1 Performance" is distinct from processed.category_1_level
                or records."I AM Reporting Category 1 Performance" is distinct from processed.alternate_1_level
                or records."IREAD-3 Reporting Category 1 Performance" is distinct from processed.iread_1_level
                or try_cast(records."Reporting Category 1 Percent Correct" as decimal(18, 6))
                is distinct from processed.category_1_percent
                or (processed.category_1_percent is null and records."Reporting Category 1 Percent Correct" is not null)
                or records."ILEARN Reporting Category 2 Performance" is distinct from processed.category_2_level
                or records."I AM Reporting Category 2 Performance" is distinct from processed.alternate_2_level
                or records."IREAD-3 Reporting Category 2 Performance" is distinct from processed.iread_2_level
                or try_cast(records."Reporting Category 2 Percent Correct" as decimal(18, 6))
                is distinct from processed.category_2_percent
                or (processed.category_2_percent is null and records."Reporting Category 2 Percent Correct" is not null)
                or records."ILEARN Reporting Category 3 Performance" is distinct from processed.category_3_level
                or records."I AM Reporting Category 3 Performance" is distinct from processed.alternate_3_level
                or records."IREAD-3 Reporting Category 3 Performance" is distinct from processed.iread_3_level
                or try_cast(records."Reporting Category 3 Percent Correct" as decimal(18, 6))
                is distinct from processed.category_3_percent
                or (processed.category_3_percent is null and records."Reporting Category 3 Percent Correct" is not null)
                or records."ILEARN Reporting Category 4 Performance" is distinct from processed.category_4_level
                or records."I AM Reporting Category 4 Performance" is distinct from processed.alternate_4_level
                or records."ILEARN Reporting Category 5 Performance" is distinct from processed.category_5_level
                or (
                    (records."ILEARN Checkpoints Percentile Rank" is not null or processed.percentile is not null)
                    and (
                        try_cast(records."ILEARN Checkpoints Percentile Rank" as integer)
                        is distinct from processed.percentile
                        or (processed.percentile is null
                        and not lower(coalesce(records."ILEARN Checkpoints Percentile Rank", 'n/a')) in ('n/a'))
                    )
                )
                or records."ILEARN Checkpoints Reporting Category 1 Performance"
                is distinct from processed.check_1_level
                or records."ILEARN Checkpoints Reporting Category 2 Performance"
                is distinct from processed.check_2_level
                or records."ILEARN Checkpoints Reporting Category 3 Performance"
                is distinct from processed.check_3_level
            )
        )

    union all by name

    select
        source_id,
        replace(student_state_id, '|', '||') || ' | ' || replace(test_name, '|', '||') as record_key,
        false as is_malformed,
        min(file_id) as processed_file_id,
        min(record_number) as processed_record_number,
        true as is_active,
        count(*) as row_count
    from {{ ref('fct_ilearn_result') }}
    group by source_id, replace(student_state_id, '|', '||') || ' | ' || replace(test_name, '|', '||')
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
            partition by processed.source_id, replace(processed.student_state_id, '|', '||') || ' | ' || replace(processed.test_name, '|', '||')
            order by processed.file_id, processed.record_number
        ) as place
    from {{ ref('fct_ilearn_result') }} as processed
    inner join keys
        on processed.source_id = keys.source_id and replace(processed.student_state_id, '|', '||') || ' | ' || replace(processed.test_name, '|', '||') = keys.record_key
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
        replace(records.stn, '|', '||') || ' | ' || replace(records."Test name", '|', '||') as record_key,
        records.file_id,
        records.record_number,
        false as is_deletion,
        cast(null as timestamp) as modified_at,
        [
            {
                'raw_column': 'Student First Name', 'processed_column': 'given_name',
                'source_value': records."Student First Name", 'processed_value': processed.given_name,
                'is_different': records."Student First Name" is distinct from processed.given_name
            },
            {
                'raw_column': 'Student Last Name', 'processed_column': 'family_name',
                'source_value': records."Student Last Name", 'processed_value': processed.family_name,
                'is_different': records."Student Last Name" is distinct from processed.family_name
            },
            {
                'raw_column': 'Student DOB', 'processed_column': 'birth_date', 'source_value': records."Student DOB",
                'processed_value': cast(processed.birth_date as varchar),
                'is_different': cast(try_strptime(lpad(records."Student DOB", 8, '0'), '%m%d%Y') as date)
                is distinct from processed.birth_date
                or (processed.birth_date is null and records."Student DOB" is not null)
            },
            {
                'raw_column': 'Enrolled Grade', 'processed_column': 'grade', 'source_value': records."Enrolled Grade",
                'processed_value': processed.grade,
                'is_different': records."Enrolled Grade" is distinct from processed.grade
            },
            {
                'raw_column': 'Enrolled School', 'processed_column': 'school_name',
                'source_value': records."Enrolled School", 'processed_value': processed.school_name,
                'is_different': records."Enrolled School" is distinct from processed.school_name
            },
            {
                'raw_column': 'Enrolled School ID', 'processed_column': 'school_code',
                'source_value': records."Enrolled School ID", 'processed_value': processed.school_code,
                'is_different': records."Enrolled School ID" is distinct from processed.school_code
            },
            {
                'raw_column': 'Overall scale score', 'processed_column': 'overall_scale_score',
                'source_value': records."Overall scale score",
                'processed_value': cast(processed.overall_scale_score as varchar),
                'is_different': try_cast(records."Overall scale score" as integer)
                is distinct from processed.overall_scale_score
                or (processed.overall_scale_score is null and records."Overall scale score" is not null)
            },
            {
                'raw_column': 'Overall proficiency level', 'processed_column': 'proficiency_level',
                'source_value': records."Overall proficiency level", 'processed_value': processed.proficiency_level,
                'is_different': records."Overall proficiency level" is distinct from processed.proficiency_level
            },
            {
                'raw_column': 'ILEARN Reported Lexile® Measure', 'processed_column': 'lexile_measure',
                'source_value': records."ILEARN Reported Lexile® Measure", 'processed_value': processed.lexile_measure,
                'is_different': records."ILEARN Reported Lexile® Measure" is distinct from processed.lexile_measure
            },
            {
                'raw_column': 'ILEARN Reported Quantile® Measure', 'processed_column': 'quantile_measure',
                'source_value': records."ILEARN Reported Quantile® Measure",
                'processed_value': processed.quantile_measure,
                'is_different': records."ILEARN Reported Quantile® Measure" is distinct from processed.quantile_measure
            },
            {
                'raw_column': 'College and Career Readiness Indicator', 'processed_column': 'ready_code',
                'source_value': records."College and Career Readiness Indicator",
                'processed_value': processed.ready_code,
                'is_different': records."College and Career Readiness Indicator" is distinct from processed.ready_code
            },
            {
                'raw_column': 'IREAD-3 Passing Status', 'processed_column': 'iread_passing',
                'source_value': records."IREAD-3 Passing Status", 'processed_value': processed.iread_passing,
                'is_different': records."IREAD-3 Passing Status" is distinct from processed.iread_passing
            },
            {
                'raw_column': 'IREAD-3 Overall scale score', 'processed_column': 'iread_scale_score',
                'source_value': records."IREAD-3 Overall scale score",
                'processed_value': cast(processed.iread_scale_score as varchar),
                'is_different': try_cast(records."IREAD-3 Overall scale score" as integer)
                is distinct from processed.iread_scale_score
                or (processed.iread_scale_score is null and records."IREAD-3 Overall scale score" is not null)
            },
            {
                'raw_column': 'ILEARN Reporting Category 1 Performance', 'processed_column': 'category_1_level',
                'source_value': records."ILEARN Reporting Category 1 Performance",
                'processed_value': processed.category_1_level,
                'is_different': records."ILEARN Reporting Category 1 Performance"
                is distinct from processed.category_1_level
            },
            {
                'raw_column': 'I AM Reporting Category 1 Performance', 'processed_column': 'alternate_1_level',
                'source_value': records."I AM Reporting Category 1 Performance",
                'processed_value': processed.alternate_1_level,
                'is_different': records."I AM Reporting Category 1 Performance"
                is distinct from processed.alternate_1_level
            },
            {
                'raw_column': 'IREAD-3 Reporting Category 1 Performance', 'processed_column': 'iread_1_level',
                'source_value': records."IREAD-3 Reporting Category 1 Performance",
                'processed_value': processed.iread_1_level,
                'is_different': records."IREAD-3 Reporting Category 1 Performance"
                is distinct from processed.iread_1_level
            },
            {
                'raw_column': 'Reporting Category 1 Percent Correct', 'processed_column': 'category_1_percent',
                'source_value': records."Reporting Category 1 Percent Correct",
                'processed_value': cast(processed.category_1_percent as varchar),
                'is_different': try_cast(records."Reporting Category 1 Percent Correct" as decimal(18, 6))
                is distinct from processed.category_1_percent
                or (processed.category_1_percent is null and records."Reporting Category 1 Percent Correct" is not null)
            },
            {
                'raw_column': 'ILEARN Reporting Category 2 Performance', 'processed_column': 'category_2_level',
                'source_value': records."ILEARN Reporting Category 2 Performance",
                'processed_value': processed.category_2_level,
                'is_different': records."ILEARN Reporting Category 2 Performance"
                is distinct from processed.category_2_level
            },
            {
                'raw_column': 'I AM Reporting Category 2 Performance', 'processed_column': 'alternate_2_level',
                'source_value': records."I AM Reporting Category 2 Performance",
                'processed_value': processed.alternate_2_level,
                'is_different': records."I AM Reporting Category 2 Performance"
                is distinct from processed.alternate_2_level
            },
            {
                'raw_column': 'IREAD-3 Reporting Category 2 Performance', 'processed_column': 'iread_2_level',
                'source_value': records."IREAD-3 Reporting Category 2 Performance",
                'processed_value': processed.iread_2_level,
                'is_different': records."IREAD-3 Reporting Category 2 Performance"
                is distinct from processed.iread_2_level
            },
            {
                'raw_column': 'Reporting Category 2 Percent Correct', 'processed_column': 'category_2_percent',
                'source_value': records."Reporting Category 2 Percent Correct",
                'processed_value': cast(processed.category_2_percent as varchar),
                'is_different': try_cast(records."Reporting Category 2 Percent Correct" as decimal(18, 6))
                is distinct from processed.category_2_percent
                or (processed.category_2_percent is null and records."Reporting Category 2 Percent Correct" is not null)
            },
            {
                'raw_column': 'ILEARN Reporting Category 3 Performance', 'processed_column': 'category_3_level',
                'source_value': records."ILEARN Reporting Category 3 Performance",
                'processed_value': processed.category_3_level,
                'is_different': records."ILEARN Reporting Category 3 Performance"
                is distinct from processed.category_3_level
            },
            {
                'raw_column': 'I AM Reporting Category 3 Performance', 'processed_column': 'alternate_3_level',
                'source_value': records."I AM Reporting Category 3 Performance",
                'processed_value': processed.alternate_3_level,
                'is_different': records."I AM Reporting Category 3 Performance"
                is distinct from processed.alternate_3_level
            },
            {
                'raw_column': 'IREAD-3 Reporting Category 3 Performance', 'processed_column': 'iread_3_level',
                'source_value': records."IREAD-3 Reporting Category 3 Performance",
                'processed_value': processed.iread_3_level,
                'is_different': records."IREAD-3 Reporting Category 3 Performance"
                is distinct from processed.iread_3_level
            },
            {
                'raw_column': 'Reporting Category 3 Percent Correct', 'processed_column': 'category_3_percent',
                'source_value': records."Reporting Category 3 Percent Correct",
                'processed_value': cast(processed.category_3_percent as varchar),
                'is_different': try_cast(records."Reporting Category 3 Percent Correct" as decimal(18, 6))
                is distinct from processed.category_3_percent
                or (processed.category_3_percent is null and records."Reporting Category 3 Percent Correct" is not null)
            },
            {
                'raw_column': 'ILEARN Reporting Category 4 Performance', 'processed_column': 'category_4_level',
                'source_value': records."ILEARN Reporting Category 4 Performance",
                'processed_value': processed.category_4_level,
                'is_different': records."ILEARN Reporting Category 4 Performance"
                is distinct from processed.category_4_level
            },
            {
                'raw_column': 'I AM Reporting Category 4 Performance', 'processed_column': 'alternate_4_level',
                'source_value': records."I AM Reporting Category 4 Performance",
                'processed_value': processed.alternate_4_level,
                'is_different': records."I AM Reporting Category 4 Performance"
                is distinct from processed.alternate_4_level
            },
            {
                'raw_column': 'ILEARN Reporting Category 5 Performance', 'processed_column': 'category_5_level',
                'source_value': records."ILEARN Reporting Category 5 Performance",
                'processed_value': processed.category_5_level,
                'is_different': records."ILEARN Reporting Category 5 Performance"
                is distinct from processed.category_5_level
            },
            {
                'raw_column': 'ILEARN Checkpoints Percentile Rank', 'processed_column': 'percentile',
                'source_value': records."ILEARN Checkpoints Percentile Rank",
                'processed_value': cast(processed.percentile as varchar),
                'is_different': try_cast(records."ILEARN Checkpoints Percentile Rank" as integer)
                is distinct from processed.percentile
                or (processed.percentile is null
                and not lower(coalesce(records."ILEARN Checkpoints Percentile Rank", 'n/a')) in ('n/a'))
            },
            {
                'raw_column': 'ILEARN Checkpoints Reporting Category 1 Performance',
                'processed_column': 'check_1_level',
                'source_value': records."ILEARN Checkpoints Reporting Category 1 Performance",
                'processed_value': processed.check_1_level,
                'is_different': records."ILEARN Checkpoints Reporting Category 1 Performance"
                is distinct from processed.check_1_level
            },
            {
                'raw_column': 'ILEARN Checkpoints Reporting Category 2 Performance',
                'processed_column': 'check_2_level',
                'source_value': records."ILEARN Checkpoints Reporting Category 2 Performance",
                'processed_value': processed.check_2_level,
                'is_different': records."ILEARN Checkpoints Reporting Category 2 Performance"
                is distinct from processed.check_2_level
            },
            {
                'raw_column': 'ILEARN Checkpoints Reporting Category 3 Performance',
                'processed_column': 'check_3_level',
                'source_value': records."ILEARN Checkpoints Reporting Category 3 Performance",
                'processed_value': processed.check_3_level,
                'is_different': records."ILEARN Checkpoints Reporting Category 3 Performance"
                is distinct from processed.check_3_level
            }
        ] as compared_values
    from pointed_records as records
    left join processed_rows as processed
        on
            records.source_id = processed.source_id
            and replace(records.stn, '|', '||') || ' | ' || replace(records."Test name", '|', '||') = replace(processed.student_state_id, '|', '||') || ' | ' || replace(processed.test_name, '|', '||')
            and processed.place = 1
),

-- A key that no newest file names may be named by the latest bulk or a file since.
present_keys as (
    select distinct
        files.source_id,
        replace(records.stn, '|', '||') || ' | ' || replace(records."Test name", '|', '||') as record_key
    from trimmed_records as records
    inner join files
        on records.file_id = files.file_id and files.is_since_latest_bulk and not files.is_in_scope
    inner join keys
        on files.source_id = keys.source_id and replace(records.stn, '|', '||') || ' | ' || replace(records."Test name", '|', '||') = keys.record_key
)

select
    'doubt' as kind,
    'state/in_ilearn' as feed,
    *
from doubts
union all by name
select
    'record' as kind,
    'state/in_ilearn' as feed,
    *
from compared_records
union all by name
select
    'present_key' as kind,
    'state/in_ilearn' as feed,
    *
from present_keys

-- One row per doubt that iready/diagnostic_math and fct_iready_diagnostic_math raise, per record that speaks of one,
-- and per key of one that is present. In doubt is a record of the newest files that the mart does not hold as it is, an
-- active row that none of them names, and a key that stands twice. Written by `rollcall layouts compare`.
-- noqa: disable=LT02,LT05,RF05
{{ config(enabled=is_used('iready')) }}

with parts as (
    select * from {{ ref('int_compared_parts__iready__diagnostic_math') }}
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
    where files.feed = 'iready/diagnostic_math'
),

-- What is compared of a record.
raw_records as not materialized (
    select
        records.file_id,
        records.record_number,
        records.line_number,
        records."Student ID",
        records."Start Date",
        records."Completion Date",
        records."Last Name",
        records."First Name",
        records."Student Grade",
        records."Academic Year",
        records.school,
        records."Diagnostic used to establish Growth Measures (Y/N)",
        records."Most Recent Diagnostic (Y/N)",
        records."Duration (min)",
        records."Rush Flag",
        records."Overall Scale Score",
        records."Overall Placement",
        records."Overall Relative Placement",
        records.percentile,
        records."Quantile Measure",
        records."Number and Operations Scale Score",
        records."Number and Operations Placement",
        records."Number and Operations Relative Placement",
        records."Algebra and Algebraic Thinking Scale Score",
        records."Algebra and Algebraic Thinking Placement",
        records."Algebra and Algebraic Thinking Relative Placement",
        records."Measurement and Data Scale Score",
        records."Measurement and Data Placement",
        records."Measurement and Data Relative Placement",
        records."Geometry Scale Score",
        records."Geometry Placement",
        records."Geometry Relative Placement",
        records."Student State ID",
        records."Norming Window"
    from {{ source('raw_iready', 'diagnostic_math') }} as records
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
        replace(records."Student ID", '|', '||') || ' | ' || replace(coalesce(cast(cast(if(records."Start Date" like '%/____', try_strptime(records."Start Date", '%m/%d/%Y'), null) as date) as varchar), records."Start Date"), '|', '||') || ' | ' || replace(coalesce(cast(cast(if(records."Completion Date" like '%/____', try_strptime(records."Completion Date", '%m/%d/%Y'), null) as date) as varchar), records."Completion Date"), '|', '||') as record_key,
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
        coalesce(records.record_key, replace(processed.student_id, '|', '||') || ' | ' || replace(cast(processed.start_date as varchar), '|', '||') || ' | ' || replace(cast(processed.completion_date as varchar), '|', '||')) as record_key,
        records.file_id,
        records.record_number,
        records.line_number,
        coalesce(records.is_malformed, false) as is_malformed,
        processed.file_id as processed_file_id,
        processed.record_number as processed_record_number,
        processed.is_active,
        1 as row_count
    from records
    full join {{ ref('fct_iready_diagnostic_math') }} as processed
        on records.source_id = processed.source_id and records.record_key = replace(processed.student_id, '|', '||') || ' | ' || replace(cast(processed.start_date as varchar), '|', '||') || ' | ' || replace(cast(processed.completion_date as varchar), '|', '||')
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
                or records."Diagnostic used to establish Growth Measures (Y/N)" is distinct from processed.baseline_code
                or records."Most Recent Diagnostic (Y/N)" is distinct from processed.most_recent_code
                or try_cast(records."Duration (min)" as integer) is distinct from processed.duration_minutes
                or (processed.duration_minutes is null and records."Duration (min)" is not null)
                or records."Rush Flag" is distinct from processed.rush_flag
                or try_cast(records."Overall Scale Score" as integer) is distinct from processed.overall_scale_score
                or (processed.overall_scale_score is null and records."Overall Scale Score" is not null)
                or records."Overall Placement" is distinct from processed.overall_placement
                or records."Overall Relative Placement" is distinct from processed.overall_relative_placement
                or try_cast(records.percentile as integer) is distinct from processed.percentile
                or (processed.percentile is null and records.percentile is not null)
                or records."Quantile Measure" is distinct from processed.quantile_measure
                or try_cast(records."Number and Operations Scale Score" as integer)
                is distinct from processed.number_and_operations_scale_score
                or (processed.number_and_operations_scale_score is null
                and not lower(coalesce(records."Number and Operations Scale Score", 'tested out')) in ('tested out', 'not assessed', 'max score', 'surpassed level'))
                or records."Number and Operations Placement" is distinct from processed.number_and_operations_placement
                or records."Number and Operations Relative Placement"
                is distinct from processed.number_and_operations_relative_placement
                or try_cast(records."Algebra and Algebraic Thinking Scale Score" as integer)
                is distinct from processed.algebra_scale_score
                or (processed.algebra_scale_score is null
                and not lower(coalesce(records."Algebra and Algebraic Thinking Scale Score", 'tested out')) in ('tested out', 'not assessed', 'max score', 'surpassed level'))
                or records."Algebra and Algebraic Thinking Placement" is distinct from processed.algebra_placement
                or records."Algebra and Algebraic Thinking Relative Placement"
                is distinct from processed.algebra_relative_placement
                or try_cast(records."Measurement and Data Scale Score" as integer)
                is distinct from processed.measurement_and_data_scale_score
                or (processed.measurement_and_data_scale_score is null
                and not lower(coalesce(records."Measurement and Data Scale Score", 'tested out')) in ('tested out', 'not assessed', 'max score', 'surpassed level'))
                or records."Measurement and Data Placement" is distinct from processed.measurement_and_data_placement
                or records."Measurement and Data Relative Placement"
                is distinct from processed.measurement_and_data_relative_placement
                or try_cast(records."Geometry Scale Score" as integer) is distinct from processed.geometry_scale_score
                or (processed.geometry_scale_score is null
                and not lower(coalesce(records."Geometry Scale Score", 'tested out')) in ('tested out', 'not assessed', 'max score', 'surpassed level'))
                or records."Geometry Placement" is distinct from processed.geometry_placement
                or records."Geometry Relative Placement" is distinct from processed.geometry_relative_placement
                or records."Student State ID" is distinct from processed.student_state_id
                or records."Norming Window" is distinct from processed.norming_window
            )
        )

    union all by name

    select
        source_id,
        replace(student_id, '|', '||') || ' | ' || replace(cast(start_date as varchar), '|', '||') || ' | ' || replace(cast(completion_date as varchar), '|', '||') as record_key,
        false as is_malformed,
        min(file_id) as processed_file_id,
        min(record_number) as processed_record_number,
        true as is_active,
        count(*) as row_count
    from {{ ref('fct_iready_diagnostic_math') }}
    group by source_id, replace(student_id, '|', '||') || ' | ' || replace(cast(start_date as varchar), '|', '||') || ' | ' || replace(cast(completion_date as varchar), '|', '||')
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
            partition by processed.source_id, replace(processed.student_id, '|', '||') || ' | ' || replace(cast(processed.start_date as varchar), '|', '||') || ' | ' || replace(cast(processed.completion_date as varchar), '|', '||')
            order by processed.file_id, processed.record_number
        ) as place
    from {{ ref('fct_iready_diagnostic_math') }} as processed
    inner join keys
        on processed.source_id = keys.source_id and replace(processed.student_id, '|', '||') || ' | ' || replace(cast(processed.start_date as varchar), '|', '||') || ' | ' || replace(cast(processed.completion_date as varchar), '|', '||') = keys.record_key
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
        replace(records."Student ID", '|', '||') || ' | ' || replace(coalesce(cast(cast(if(records."Start Date" like '%/____', try_strptime(records."Start Date", '%m/%d/%Y'), null) as date) as varchar), records."Start Date"), '|', '||') || ' | ' || replace(coalesce(cast(cast(if(records."Completion Date" like '%/____', try_strptime(records."Completion Date", '%m/%d/%Y'), null) as date) as varchar), records."Completion Date"), '|', '||') as record_key,
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
                'raw_column': 'Diagnostic used to establish Growth Measures (Y/N)', 'processed_column': 'baseline_code',
                'source_value': records."Diagnostic used to establish Growth Measures (Y/N)",
                'processed_value': processed.baseline_code,
                'is_different': records."Diagnostic used to establish Growth Measures (Y/N)"
                is distinct from processed.baseline_code
            },
            {
                'raw_column': 'Most Recent Diagnostic (Y/N)', 'processed_column': 'most_recent_code',
                'source_value': records."Most Recent Diagnostic (Y/N)", 'processed_value': processed.most_recent_code,
                'is_different': records."Most Recent Diagnostic (Y/N)" is distinct from processed.most_recent_code
            },
            {
                'raw_column': 'Duration (min)', 'processed_column': 'duration_minutes',
                'source_value': records."Duration (min)",
                'processed_value': cast(processed.duration_minutes as varchar),
                'is_different': try_cast(records."Duration (min)" as integer)
                is distinct from processed.duration_minutes
                or (processed.duration_minutes is null and records."Duration (min)" is not null)
            },
            {
                'raw_column': 'Rush Flag', 'processed_column': 'rush_flag', 'source_value': records."Rush Flag",
                'processed_value': processed.rush_flag,
                'is_different': records."Rush Flag" is distinct from processed.rush_flag
            },
            {
                'raw_column': 'Overall Scale Score', 'processed_column': 'overall_scale_score',
                'source_value': records."Overall Scale Score",
                'processed_value': cast(processed.overall_scale_score as varchar),
                'is_different': try_cast(records."Overall Scale Score" as integer)
                is distinct from processed.overall_scale_score
                or (processed.overall_scale_score is null and records."Overall Scale Score" is not null)
            },
            {
                'raw_column': 'Overall Placement', 'processed_column': 'overall_placement',
                'source_value': records."Overall Placement", 'processed_value': processed.overall_placement,
                'is_different': records."Overall Placement" is distinct from processed.overall_placement
            },
            {
                'raw_column': 'Overall Relative Placement', 'processed_column': 'overall_relative_placement',
                'source_value': records."Overall Relative Placement",
                'processed_value': processed.overall_relative_placement,
                'is_different': records."Overall Relative Placement"
                is distinct from processed.overall_relative_placement
            },
            {
                'raw_column': 'Percentile', 'processed_column': 'percentile', 'source_value': records.percentile,
                'processed_value': cast(processed.percentile as varchar),
                'is_different': try_cast(records.percentile as integer) is distinct from processed.percentile
                or (processed.percentile is null and records.percentile is not null)
            },
            {
                'raw_column': 'Quantile Measure', 'processed_column': 'quantile_measure',
                'source_value': records."Quantile Measure", 'processed_value': processed.quantile_measure,
                'is_different': records."Quantile Measure" is distinct from processed.quantile_measure
            },
            {
                'raw_column': 'Number and Operations Scale Score',
                'processed_column': 'number_and_operations_scale_score',
                'source_value': records."Number and Operations Scale Score",
                'processed_value': cast(processed.number_and_operations_scale_score as varchar),
                'is_different': try_cast(records."Number and Operations Scale Score" as integer)
                is distinct from processed.number_and_operations_scale_score
                or (processed.number_and_operations_scale_score is null
                and not lower(coalesce(records."Number and Operations Scale Score", 'tested out')) in ('tested out', 'not assessed', 'max score', 'surpassed level'))
            },
            {
                'raw_column': 'Number and Operations Placement', 'processed_column': 'number_and_operations_placement',
                'source_value': records."Number and Operations Placement",
                'processed_value': processed.number_and_operations_placement,
                'is_different': records."Number and Operations Placement"
                is distinct from processed.number_and_operations_placement
            },
            {
                'raw_column': 'Number and Operations Relative Placement',
                'processed_column': 'number_and_operations_relative_placement',
                'source_value': records."Number and Operations Relative Placement",
                'processed_value': processed.number_and_operations_relative_placement,
                'is_different': records."Number and Operations Relative Placement"
                is distinct from processed.number_and_operations_relative_placement
            },
            {
                'raw_column': 'Algebra and Algebraic Thinking Scale Score', 'processed_column': 'algebra_scale_score',
                'source_value': records."Algebra and Algebraic Thinking Scale Score",
                'processed_value': cast(processed.algebra_scale_score as varchar),
                'is_different': try_cast(records."Algebra and Algebraic Thinking Scale Score" as integer)
                is distinct from processed.algebra_scale_score
                or (processed.algebra_scale_score is null
                and not lower(coalesce(records."Algebra and Algebraic Thinking Scale Score", 'tested out')) in ('tested out', 'not assessed', 'max score', 'surpassed level'))
            },
            {
                'raw_column': 'Algebra and Algebraic Thinking Placement', 'processed_column': 'algebra_placement',
                'source_value': records."Algebra and Algebraic Thinking Placement",
                'processed_value': processed.algebra_placement,
                'is_different': records."Algebra and Algebraic Thinking Placement"
                is distinct from processed.algebra_placement
            },
            {
                'raw_column': 'Algebra and Algebraic Thinking Relative Placement',
                'processed_column': 'algebra_relative_placement',
                'source_value': records."Algebra and Algebraic Thinking Relative Placement",
                'processed_value': processed.algebra_relative_placement,
                'is_different': records."Algebra and Algebraic Thinking Relative Placement"
                is distinct from processed.algebra_relative_placement
            },
            {
                'raw_column': 'Measurement and Data Scale Score',
                'processed_column': 'measurement_and_data_scale_score',
                'source_value': records."Measurement and Data Scale Score",
                'processed_value': cast(processed.measurement_and_data_scale_score as varchar),
                'is_different': try_cast(records."Measurement and Data Scale Score" as integer)
                is distinct from processed.measurement_and_data_scale_score
                or (processed.measurement_and_data_scale_score is null
                and not lower(coalesce(records."Measurement and Data Scale Score", 'tested out')) in ('tested out', 'not assessed', 'max score', 'surpassed level'))
            },
            {
                'raw_column': 'Measurement and Data Placement', 'processed_column': 'measurement_and_data_placement',
                'source_value': records."Measurement and Data Placement",
                'processed_value': processed.measurement_and_data_placement,
                'is_different': records."Measurement and Data Placement"
                is distinct from processed.measurement_and_data_placement
            },
            {
                'raw_column': 'Measurement and Data Relative Placement',
                'processed_column': 'measurement_and_data_relative_placement',
                'source_value': records."Measurement and Data Relative Placement",
                'processed_value': processed.measurement_and_data_relative_placement,
                'is_different': records."Measurement and Data Relative Placement"
                is distinct from processed.measurement_and_data_relative_placement
            },
            {
                'raw_column': 'Geometry Scale Score', 'processed_column': 'geometry_scale_score',
                'source_value': records."Geometry Scale Score",
                'processed_value': cast(processed.geometry_scale_score as varchar),
                'is_different': try_cast(records."Geometry Scale Score" as integer)
                is distinct from processed.geometry_scale_score
                or (processed.geometry_scale_score is null
                and not lower(coalesce(records."Geometry Scale Score", 'tested out')) in ('tested out', 'not assessed', 'max score', 'surpassed level'))
            },
            {
                'raw_column': 'Geometry Placement', 'processed_column': 'geometry_placement',
                'source_value': records."Geometry Placement", 'processed_value': processed.geometry_placement,
                'is_different': records."Geometry Placement" is distinct from processed.geometry_placement
            },
            {
                'raw_column': 'Geometry Relative Placement', 'processed_column': 'geometry_relative_placement',
                'source_value': records."Geometry Relative Placement",
                'processed_value': processed.geometry_relative_placement,
                'is_different': records."Geometry Relative Placement"
                is distinct from processed.geometry_relative_placement
            },
            {
                'raw_column': 'Student State ID', 'processed_column': 'student_state_id',
                'source_value': records."Student State ID", 'processed_value': processed.student_state_id,
                'is_different': records."Student State ID" is distinct from processed.student_state_id
            },
            {
                'raw_column': 'Norming Window', 'processed_column': 'norming_window',
                'source_value': records."Norming Window", 'processed_value': processed.norming_window,
                'is_different': records."Norming Window" is distinct from processed.norming_window
            }
        ] as compared_values
    from pointed_records as records
    left join processed_rows as processed
        on
            records.source_id = processed.source_id
            and replace(records."Student ID", '|', '||') || ' | ' || replace(coalesce(cast(cast(if(records."Start Date" like '%/____', try_strptime(records."Start Date", '%m/%d/%Y'), null) as date) as varchar), records."Start Date"), '|', '||') || ' | ' || replace(coalesce(cast(cast(if(records."Completion Date" like '%/____', try_strptime(records."Completion Date", '%m/%d/%Y'), null) as date) as varchar), records."Completion Date"), '|', '||') = replace(processed.student_id, '|', '||') || ' | ' || replace(cast(processed.start_date as varchar), '|', '||') || ' | ' || replace(cast(processed.completion_date as varchar), '|', '||')
            and processed.place = 1
    left join parts
        on records.file_id = parts.file_id and try_cast(left(records."Academic Year", 4) as integer) + cast(length(records."Academic Year") > 4 as integer) is not distinct from parts.part
),

-- A key that no newest file names may be named since the latest bulk that lists the Academic Year of its row.
named as (
    select
        records.file_id,
        replace(records."Student ID", '|', '||') || ' | ' || replace(coalesce(cast(cast(if(records."Start Date" like '%/____', try_strptime(records."Start Date", '%m/%d/%Y'), null) as date) as varchar), records."Start Date"), '|', '||') || ' | ' || replace(coalesce(cast(cast(if(records."Completion Date" like '%/____', try_strptime(records."Completion Date", '%m/%d/%Y'), null) as date) as varchar), records."Completion Date"), '|', '||') as record_key
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
            and named.record_key = replace(processed.student_id, '|', '||') || ' | ' || replace(cast(processed.start_date as varchar), '|', '||') || ' | ' || replace(cast(processed.completion_date as varchar), '|', '||')
            and processed.place = 1
    left join bulks
        on
            processed.source_id = bulks.source_id
            and processed.data_year is not distinct from bulks.part
    where coalesce(files.exported_at >= bulks.latest_bulk_exported_at, true)
)

select
    'doubt' as kind,
    'iready/diagnostic_math' as feed,
    *
from doubts
union all by name
select
    'record' as kind,
    'iready/diagnostic_math' as feed,
    *
from compared_records
union all by name
select
    'present_key' as kind,
    'iready/diagnostic_math' as feed,
    *
from present_keys

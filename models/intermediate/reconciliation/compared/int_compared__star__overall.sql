-- One row per doubt that star/overall and fct_star_result raise, per record that speaks of one, and per key of one that
-- is present. In doubt is a record of the newest files that the mart does not hold as it is, an active row that none of
-- them names, and a key that stands twice. Written by `rollcall layouts compare`.
-- noqa: disable=LT05
{{ config(enabled=is_used('star')) }}

with parts as (
    select * from {{ ref('int_compared_parts__star__overall') }}
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
    where files.feed = 'star/overall'
),

-- What is compared of a record.
raw_records as not materialized (
    select
        records.file_id,
        records.record_number,
        records.line_number,
        records.assessmentid,
        records.schoolyear,
        records.studentrenaissanceid,
        records.studentsourcedid,
        records.studentidentifier,
        records.studentuserid,
        records.studentstateid,
        records.studentfirstname,
        records.studentlastname,
        records.currentgrade,
        records.schoolname,
        records.completeddate,
        records.assessmenttype,
        records.assessmentstatus,
        records.deactivationreason,
        records.scaledscore,
        records.standarderrorofmeasurement,
        records.unifiedscore,
        records.percentilerank,
        records.lexile,
        records.screeningperiodwindowname,
        records.renaissancebenchmarkcategoryname,
        records.statebenchmarkcategoryname,
        records.statebenchmarkproficient,
        records.districtbenchmarkcategoryname,
        records.takenat
    from {{ source('raw_star', 'overall') }} as records
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
        records.assessmentid as record_key,
        false as is_malformed,
        records.*
    from trimmed_records as records
    inner join files on records.file_id = files.file_id and files.is_in_scope
    inner join parts
        on
            records.file_id = parts.file_id
            and try_cast(left(records.schoolyear, 4) as integer) + cast(length(records.schoolyear) > 4 as integer) is not distinct from parts.part
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
        coalesce(records.record_key, processed.assessment_id) as record_key,
        records.file_id,
        records.record_number,
        records.line_number,
        coalesce(records.is_malformed, false) as is_malformed,
        processed.file_id as processed_file_id,
        processed.record_number as processed_record_number,
        processed.is_active,
        1 as row_count
    from records
    full join {{ ref('fct_star_result') }} as processed
        on records.source_id = processed.source_id and records.record_key = processed.assessment_id
    where
        (records.file_id is null and processed.is_active)
        or records.is_malformed
        or (
            records.file_id is not null
            and (
                processed.is_active is distinct from true
                or (records.is_visible and records.file_id <> processed.file_id)
                or (records.is_visible and records.record_number <> processed.record_number)
                or try_cast(left(records.schoolyear, 4) as integer) + cast(length(records.schoolyear) > 4 as integer)
                is distinct from processed.data_year
                or (processed.data_year is null and records.schoolyear is not null)
                or records.studentrenaissanceid is distinct from processed.student_vendor_id
                or records.studentsourcedid is distinct from processed.student_sourced_id
                or records.studentidentifier is distinct from processed.student_id
                or records.studentuserid is distinct from processed.student_user_id
                or records.studentstateid is distinct from processed.student_state_id
                or records.studentfirstname is distinct from processed.given_name
                or records.studentlastname is distinct from processed.family_name
                or records.currentgrade is distinct from processed.grade
                or records.schoolname is distinct from processed.school_name
                or {{ rollcall.compared_instant('records.completeddate') }} is distinct from processed.event_at
                or (processed.event_at is null and records.completeddate is not null)
                or records.assessmenttype is distinct from processed.assessment_type
                or records.assessmentstatus is distinct from processed.assessment_status
                or records.deactivationreason is distinct from processed.deactivation_reason
                or try_cast(records.scaledscore as integer) is distinct from processed.scaled_score
                or (processed.scaled_score is null and records.scaledscore is not null)
                or try_cast(records.standarderrorofmeasurement as decimal(18, 6))
                is distinct from processed.standard_error
                or (processed.standard_error is null and records.standarderrorofmeasurement is not null)
                or try_cast(records.unifiedscore as integer) is distinct from processed.unified_score
                or (processed.unified_score is null and records.unifiedscore is not null)
                or try_cast(records.percentilerank as integer) is distinct from processed.percentile
                or (processed.percentile is null and records.percentilerank is not null)
                or records.lexile is distinct from processed.lexile_measure
                or records.screeningperiodwindowname is distinct from processed.screening_window
                or records.renaissancebenchmarkcategoryname is distinct from processed.vendor_benchmark
                or records.statebenchmarkcategoryname is distinct from processed.state_benchmark
                or records.statebenchmarkproficient is distinct from processed.state_proficient_code
                or records.districtbenchmarkcategoryname is distinct from processed.district_benchmark
                or records.takenat is distinct from processed.taken_at
            )
        )

    union all by name

    select
        source_id,
        assessment_id as record_key,
        false as is_malformed,
        min(file_id) as processed_file_id,
        min(record_number) as processed_record_number,
        true as is_active,
        count(*) as row_count
    from {{ ref('fct_star_result') }}
    group by source_id, assessment_id
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
            partition by processed.source_id, processed.assessment_id
            order by processed.file_id, processed.record_number
        ) as place
    from {{ ref('fct_star_result') }} as processed
    inner join keys
        on processed.source_id = keys.source_id and processed.assessment_id = keys.record_key
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
        records.assessmentid as record_key,
        records.file_id,
        records.record_number,
        false as is_deletion,
        cast(null as timestamp) as modified_at,
        parts.is_in_scope,
        [
            {
                'raw_column': 'SchoolYear', 'processed_column': 'data_year', 'source_value': records.schoolyear,
                'processed_value': cast(processed.data_year as varchar),
                'is_different':
                try_cast(left(records.schoolyear, 4) as integer) + cast(length(records.schoolyear) > 4 as integer)
                is distinct from processed.data_year
                or (processed.data_year is null and records.schoolyear is not null)
            },
            {
                'raw_column': 'StudentRenaissanceID', 'processed_column': 'student_vendor_id',
                'source_value': records.studentrenaissanceid, 'processed_value': processed.student_vendor_id,
                'is_different': records.studentrenaissanceid is distinct from processed.student_vendor_id
            },
            {
                'raw_column': 'StudentSourcedID', 'processed_column': 'student_sourced_id',
                'source_value': records.studentsourcedid, 'processed_value': processed.student_sourced_id,
                'is_different': records.studentsourcedid is distinct from processed.student_sourced_id
            },
            {
                'raw_column': 'StudentIdentifier', 'processed_column': 'student_id',
                'source_value': records.studentidentifier, 'processed_value': processed.student_id,
                'is_different': records.studentidentifier is distinct from processed.student_id
            },
            {
                'raw_column': 'StudentUserID', 'processed_column': 'student_user_id',
                'source_value': records.studentuserid, 'processed_value': processed.student_user_id,
                'is_different': records.studentuserid is distinct from processed.student_user_id
            },
            {
                'raw_column': 'StudentStateID', 'processed_column': 'student_state_id',
                'source_value': records.studentstateid, 'processed_value': processed.student_state_id,
                'is_different': records.studentstateid is distinct from processed.student_state_id
            },
            {
                'raw_column': 'StudentFirstName', 'processed_column': 'given_name',
                'source_value': records.studentfirstname, 'processed_value': processed.given_name,
                'is_different': records.studentfirstname is distinct from processed.given_name
            },
            {
                'raw_column': 'StudentLastName', 'processed_column': 'family_name',
                'source_value': records.studentlastname, 'processed_value': processed.family_name,
                'is_different': records.studentlastname is distinct from processed.family_name
            },
            {
                'raw_column': 'CurrentGrade', 'processed_column': 'grade', 'source_value': records.currentgrade,
                'processed_value': processed.grade,
                'is_different': records.currentgrade is distinct from processed.grade
            },
            {
                'raw_column': 'SchoolName', 'processed_column': 'school_name', 'source_value': records.schoolname,
                'processed_value': processed.school_name,
                'is_different': records.schoolname is distinct from processed.school_name
            },
            {
                'raw_column': 'CompletedDate', 'processed_column': 'event_at', 'source_value': records.completeddate,
                'processed_value': cast(processed.event_at as varchar),
                'is_different': {{ rollcall.compared_instant('records.completeddate') }}
                is distinct from processed.event_at
                or (processed.event_at is null and records.completeddate is not null)
            },
            {
                'raw_column': 'AssessmentType', 'processed_column': 'assessment_type',
                'source_value': records.assessmenttype, 'processed_value': processed.assessment_type,
                'is_different': records.assessmenttype is distinct from processed.assessment_type
            },
            {
                'raw_column': 'AssessmentStatus', 'processed_column': 'assessment_status',
                'source_value': records.assessmentstatus, 'processed_value': processed.assessment_status,
                'is_different': records.assessmentstatus is distinct from processed.assessment_status
            },
            {
                'raw_column': 'DeactivationReason', 'processed_column': 'deactivation_reason',
                'source_value': records.deactivationreason, 'processed_value': processed.deactivation_reason,
                'is_different': records.deactivationreason is distinct from processed.deactivation_reason
            },
            {
                'raw_column': 'ScaledScore', 'processed_column': 'scaled_score', 'source_value': records.scaledscore,
                'processed_value': cast(processed.scaled_score as varchar),
                'is_different': try_cast(records.scaledscore as integer) is distinct from processed.scaled_score
                or (processed.scaled_score is null and records.scaledscore is not null)
            },
            {
                'raw_column': 'StandardErrorOfMeasurement', 'processed_column': 'standard_error',
                'source_value': records.standarderrorofmeasurement,
                'processed_value': cast(processed.standard_error as varchar),
                'is_different': try_cast(records.standarderrorofmeasurement as decimal(18, 6))
                is distinct from processed.standard_error
                or (processed.standard_error is null and records.standarderrorofmeasurement is not null)
            },
            {
                'raw_column': 'UnifiedScore', 'processed_column': 'unified_score', 'source_value': records.unifiedscore,
                'processed_value': cast(processed.unified_score as varchar),
                'is_different': try_cast(records.unifiedscore as integer) is distinct from processed.unified_score
                or (processed.unified_score is null and records.unifiedscore is not null)
            },
            {
                'raw_column': 'PercentileRank', 'processed_column': 'percentile',
                'source_value': records.percentilerank, 'processed_value': cast(processed.percentile as varchar),
                'is_different': try_cast(records.percentilerank as integer) is distinct from processed.percentile
                or (processed.percentile is null and records.percentilerank is not null)
            },
            {
                'raw_column': 'Lexile', 'processed_column': 'lexile_measure', 'source_value': records.lexile,
                'processed_value': processed.lexile_measure,
                'is_different': records.lexile is distinct from processed.lexile_measure
            },
            {
                'raw_column': 'ScreeningPeriodWindowName', 'processed_column': 'screening_window',
                'source_value': records.screeningperiodwindowname, 'processed_value': processed.screening_window,
                'is_different': records.screeningperiodwindowname is distinct from processed.screening_window
            },
            {
                'raw_column': 'RenaissanceBenchmarkCategoryName', 'processed_column': 'vendor_benchmark',
                'source_value': records.renaissancebenchmarkcategoryname, 'processed_value': processed.vendor_benchmark,
                'is_different': records.renaissancebenchmarkcategoryname is distinct from processed.vendor_benchmark
            },
            {
                'raw_column': 'StateBenchmarkCategoryName', 'processed_column': 'state_benchmark',
                'source_value': records.statebenchmarkcategoryname, 'processed_value': processed.state_benchmark,
                'is_different': records.statebenchmarkcategoryname is distinct from processed.state_benchmark
            },
            {
                'raw_column': 'StateBenchmarkProficient', 'processed_column': 'state_proficient_code',
                'source_value': records.statebenchmarkproficient, 'processed_value': processed.state_proficient_code,
                'is_different': records.statebenchmarkproficient is distinct from processed.state_proficient_code
            },
            {
                'raw_column': 'DistrictBenchmarkCategoryName', 'processed_column': 'district_benchmark',
                'source_value': records.districtbenchmarkcategoryname, 'processed_value': processed.district_benchmark,
                'is_different': records.districtbenchmarkcategoryname is distinct from processed.district_benchmark
            },
            {
                'raw_column': 'TakenAt', 'processed_column': 'taken_at', 'source_value': records.takenat,
                'processed_value': processed.taken_at,
                'is_different': records.takenat is distinct from processed.taken_at
            }
        ] as compared_values
    from pointed_records as records
    left join processed_rows as processed
        on
            records.source_id = processed.source_id
            and records.assessmentid = processed.assessment_id
            and processed.place = 1
    left join parts
        on records.file_id = parts.file_id and try_cast(left(records.schoolyear, 4) as integer) + cast(length(records.schoolyear) > 4 as integer) is not distinct from parts.part
),

-- A key that no newest file names may be named since the latest bulk that lists the SchoolYear of its row.
named as (
    select
        records.file_id,
        records.assessmentid as record_key
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
            and named.record_key = processed.assessment_id
            and processed.place = 1
    left join bulks
        on
            processed.source_id = bulks.source_id
            and processed.data_year is not distinct from bulks.part
    where coalesce(files.exported_at >= bulks.latest_bulk_exported_at, true)
)

select
    'doubt' as kind,
    'star/overall' as feed,
    *
from doubts
union all by name
select
    'record' as kind,
    'star/overall' as feed,
    *
from compared_records
union all by name
select
    'present_key' as kind,
    'star/overall' as feed,
    *
from present_keys

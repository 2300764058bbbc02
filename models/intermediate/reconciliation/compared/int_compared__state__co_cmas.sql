-- One row per doubt that state/co_cmas and fct_cmas_result raise, per record that speaks of one, and per key of one
-- that is present. In doubt is a record of the newest files that the mart does not hold as it is, an active row that
-- none of them names, and a key that stands twice. Written by `rollcall layouts compare`.
-- noqa: disable=LT05
{{ config(enabled=is_used('state')) }}

with parts as (
    select * from {{ ref('int_compared_parts__state__co_cmas') }}
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
    where files.feed = 'state/co_cmas'
),

-- What is compared of a record.
raw_records as not materialized (
    select
        records.file_id,
        records.record_number,
        records.line_number,
        records.studenttestuuid,
        records.responsibleschoolcode,
        records.statestudentidentifier,
        records.localstudentidentifier,
        records.pearsonstudentidentifier,
        records.lastorsurname,
        records.firstname,
        records.birthdate,
        records.gradelevelwhenassessed,
        records.testcode,
        records.testattemptednessflag,
        records.nottestedcode,
        records.nottestedreason,
        records.voidscorecode,
        records.voidscorereason,
        records.calculatedinvalidation,
        records.reportsuppressioncode,
        records.reportsuppressionaction,
        records.unit1testenddatetime,
        records.unit2testenddatetime,
        records.unit3testenddatetime,
        records.assessmentyear,
        records.subject,
        records.responsibleschoolname,
        records.ss,
        records.sscsem,
        records.perflvl,
        records.subclaim1pctearned,
        records.subclaim2pctearned,
        records.subclaim3pctearned,
        records.subclaim4pctearned,
        records.subclaim5pctearned
    from {{ source('raw_state', 'co_cmas') }} as records
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
        records.studenttestuuid as record_key,
        false as is_malformed,
        records.*
    from trimmed_records as records
    inner join files on records.file_id = files.file_id and files.is_in_scope
    inner join parts
        on
            records.file_id = parts.file_id
            and try_cast(left(records.assessmentyear, 4) as integer) + cast(length(records.assessmentyear) > 4 as integer) is not distinct from parts.part
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
    full join {{ ref('fct_cmas_result') }} as processed
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
                or records.responsibleschoolcode is distinct from processed.school_code
                or records.statestudentidentifier is distinct from processed.student_state_id
                or records.localstudentidentifier is distinct from processed.student_id
                or records.pearsonstudentidentifier is distinct from processed.student_vendor_id
                or records.lastorsurname is distinct from processed.family_name
                or records.firstname is distinct from processed.given_name
                or try_cast(records.birthdate as date) is distinct from processed.birth_date
                or (processed.birth_date is null and records.birthdate is not null)
                or records.gradelevelwhenassessed is distinct from processed.grade
                or records.testcode is distinct from processed.test_code
                or records.testattemptednessflag is distinct from processed.attempted_code
                or records.nottestedcode is distinct from processed.not_tested_code
                or records.nottestedreason is distinct from processed.not_tested_reason
                or records.voidscorecode is distinct from processed.void_code
                or records.voidscorereason is distinct from processed.void_reason
                or records.calculatedinvalidation is distinct from processed.invalidation
                or records.reportsuppressioncode is distinct from processed.suppression_code
                or records.reportsuppressionaction is distinct from processed.suppression_action
                or {{ rollcall.compared_instant('records.unit1testenddatetime') }}
                is distinct from processed.unit_1_ended_at
                or (processed.unit_1_ended_at is null and records.unit1testenddatetime is not null)
                or {{ rollcall.compared_instant('records.unit2testenddatetime') }}
                is distinct from processed.unit_2_ended_at
                or (processed.unit_2_ended_at is null and records.unit2testenddatetime is not null)
                or {{ rollcall.compared_instant('records.unit3testenddatetime') }}
                is distinct from processed.unit_3_ended_at
                or (processed.unit_3_ended_at is null and records.unit3testenddatetime is not null)
                or try_cast(left(records.assessmentyear, 4) as integer)
                + cast(length(records.assessmentyear) > 4 as integer)
                is distinct from processed.data_year
                or (processed.data_year is null and records.assessmentyear is not null)
                or records.subject is distinct from processed.subject
                or records.responsibleschoolname is distinct from processed.school_name
                or try_cast(records.ss as integer) is distinct from processed.scale_score
                or (processed.scale_score is null and records.ss is not null)
                or try_cast(records.sscsem as decimal(18, 6)) is distinct from processed.standard_error
                or (processed.standard_error is null and records.sscsem is not null)
                or records.perflvl is distinct from processed.performance_level
                or try_cast(records.subclaim1pctearned as integer) is distinct from processed.subclaim_1_percent
                or (processed.subclaim_1_percent is null and records.subclaim1pctearned is not null)
                or try_cast(records.subclaim2pctearned as integer) is distinct from processed.subclaim_2_percent
                or (processed.subclaim_2_percent is null and records.subclaim2pctearned is not null)
                or try_cast(records.subclaim3pctearned as integer) is distinct from processed.subclaim_3_percent
                or (processed.subclaim_3_percent is null and records.subclaim3pctearned is not null)
                or try_cast(records.subclaim4pctearned as integer) is distinct from processed.subclaim_4_percent
                or (processed.subclaim_4_percent is null and records.subclaim4pctearned is not null)
                or try_cast(records.subclaim5pctearned as integer) is distinct from processed.subclaim_5_percent
                or (processed.subclaim_5_percent is null and records.subclaim5pctearned is not null)
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
    from {{ ref('fct_cmas_result') }}
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
    from {{ ref('fct_cmas_result') }} as processed
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
        records.studenttestuuid as record_key,
        records.file_id,
        records.record_number,
        false as is_deletion,
        cast(null as timestamp) as modified_at,
        parts.is_in_scope,
        [
            {
                'raw_column': 'ResponsibleSchoolCode', 'processed_column': 'school_code',
                'source_value': records.responsibleschoolcode, 'processed_value': processed.school_code,
                'is_different': records.responsibleschoolcode is distinct from processed.school_code
            },
            {
                'raw_column': 'StateStudentIdentifier', 'processed_column': 'student_state_id',
                'source_value': records.statestudentidentifier, 'processed_value': processed.student_state_id,
                'is_different': records.statestudentidentifier is distinct from processed.student_state_id
            },
            {
                'raw_column': 'LocalStudentIdentifier', 'processed_column': 'student_id',
                'source_value': records.localstudentidentifier, 'processed_value': processed.student_id,
                'is_different': records.localstudentidentifier is distinct from processed.student_id
            },
            {
                'raw_column': 'PearsonStudentIdentifier', 'processed_column': 'student_vendor_id',
                'source_value': records.pearsonstudentidentifier, 'processed_value': processed.student_vendor_id,
                'is_different': records.pearsonstudentidentifier is distinct from processed.student_vendor_id
            },
            {
                'raw_column': 'LastOrSurname', 'processed_column': 'family_name', 'source_value': records.lastorsurname,
                'processed_value': processed.family_name,
                'is_different': records.lastorsurname is distinct from processed.family_name
            },
            {
                'raw_column': 'FirstName', 'processed_column': 'given_name', 'source_value': records.firstname,
                'processed_value': processed.given_name,
                'is_different': records.firstname is distinct from processed.given_name
            },
            {
                'raw_column': 'Birthdate', 'processed_column': 'birth_date', 'source_value': records.birthdate,
                'processed_value': cast(processed.birth_date as varchar),
                'is_different': try_cast(records.birthdate as date) is distinct from processed.birth_date
                or (processed.birth_date is null and records.birthdate is not null)
            },
            {
                'raw_column': 'GradeLevelWhenAssessed', 'processed_column': 'grade',
                'source_value': records.gradelevelwhenassessed, 'processed_value': processed.grade,
                'is_different': records.gradelevelwhenassessed is distinct from processed.grade
            },
            {
                'raw_column': 'TestCode', 'processed_column': 'test_code', 'source_value': records.testcode,
                'processed_value': processed.test_code,
                'is_different': records.testcode is distinct from processed.test_code
            },
            {
                'raw_column': 'TestAttemptednessFlag', 'processed_column': 'attempted_code',
                'source_value': records.testattemptednessflag, 'processed_value': processed.attempted_code,
                'is_different': records.testattemptednessflag is distinct from processed.attempted_code
            },
            {
                'raw_column': 'NotTestedCode', 'processed_column': 'not_tested_code',
                'source_value': records.nottestedcode, 'processed_value': processed.not_tested_code,
                'is_different': records.nottestedcode is distinct from processed.not_tested_code
            },
            {
                'raw_column': 'NotTestedReason', 'processed_column': 'not_tested_reason',
                'source_value': records.nottestedreason, 'processed_value': processed.not_tested_reason,
                'is_different': records.nottestedreason is distinct from processed.not_tested_reason
            },
            {
                'raw_column': 'VoidScoreCode', 'processed_column': 'void_code', 'source_value': records.voidscorecode,
                'processed_value': processed.void_code,
                'is_different': records.voidscorecode is distinct from processed.void_code
            },
            {
                'raw_column': 'VoidScoreReason', 'processed_column': 'void_reason',
                'source_value': records.voidscorereason, 'processed_value': processed.void_reason,
                'is_different': records.voidscorereason is distinct from processed.void_reason
            },
            {
                'raw_column': 'CalculatedInvalidation', 'processed_column': 'invalidation',
                'source_value': records.calculatedinvalidation, 'processed_value': processed.invalidation,
                'is_different': records.calculatedinvalidation is distinct from processed.invalidation
            },
            {
                'raw_column': 'ReportSuppressionCode', 'processed_column': 'suppression_code',
                'source_value': records.reportsuppressioncode, 'processed_value': processed.suppression_code,
                'is_different': records.reportsuppressioncode is distinct from processed.suppression_code
            },
            {
                'raw_column': 'ReportSuppressionAction', 'processed_column': 'suppression_action',
                'source_value': records.reportsuppressionaction, 'processed_value': processed.suppression_action,
                'is_different': records.reportsuppressionaction is distinct from processed.suppression_action
            },
            {
                'raw_column': 'Unit1TestEndDateTime', 'processed_column': 'unit_1_ended_at',
                'source_value': records.unit1testenddatetime,
                'processed_value': cast(processed.unit_1_ended_at as varchar),
                'is_different': {{ rollcall.compared_instant('records.unit1testenddatetime') }}
                is distinct from processed.unit_1_ended_at
                or (processed.unit_1_ended_at is null and records.unit1testenddatetime is not null)
            },
            {
                'raw_column': 'Unit2TestEndDateTime', 'processed_column': 'unit_2_ended_at',
                'source_value': records.unit2testenddatetime,
                'processed_value': cast(processed.unit_2_ended_at as varchar),
                'is_different': {{ rollcall.compared_instant('records.unit2testenddatetime') }}
                is distinct from processed.unit_2_ended_at
                or (processed.unit_2_ended_at is null and records.unit2testenddatetime is not null)
            },
            {
                'raw_column': 'Unit3TestEndDateTime', 'processed_column': 'unit_3_ended_at',
                'source_value': records.unit3testenddatetime,
                'processed_value': cast(processed.unit_3_ended_at as varchar),
                'is_different': {{ rollcall.compared_instant('records.unit3testenddatetime') }}
                is distinct from processed.unit_3_ended_at
                or (processed.unit_3_ended_at is null and records.unit3testenddatetime is not null)
            },
            {
                'raw_column': 'AssessmentYear', 'processed_column': 'data_year', 'source_value': records.assessmentyear,
                'processed_value': cast(processed.data_year as varchar),
                'is_different':
                try_cast(left(records.assessmentyear, 4) as integer)
                + cast(length(records.assessmentyear) > 4 as integer)
                is distinct from processed.data_year
                or (processed.data_year is null and records.assessmentyear is not null)
            },
            {
                'raw_column': 'Subject', 'processed_column': 'subject', 'source_value': records.subject,
                'processed_value': processed.subject, 'is_different': records.subject is distinct from processed.subject
            },
            {
                'raw_column': 'ResponsibleSchoolName', 'processed_column': 'school_name',
                'source_value': records.responsibleschoolname, 'processed_value': processed.school_name,
                'is_different': records.responsibleschoolname is distinct from processed.school_name
            },
            {
                'raw_column': 'SS', 'processed_column': 'scale_score', 'source_value': records.ss,
                'processed_value': cast(processed.scale_score as varchar),
                'is_different': try_cast(records.ss as integer) is distinct from processed.scale_score
                or (processed.scale_score is null and records.ss is not null)
            },
            {
                'raw_column': 'SSCSEM', 'processed_column': 'standard_error', 'source_value': records.sscsem,
                'processed_value': cast(processed.standard_error as varchar),
                'is_different': try_cast(records.sscsem as decimal(18, 6)) is distinct from processed.standard_error
                or (processed.standard_error is null and records.sscsem is not null)
            },
            {
                'raw_column': 'PerfLVL', 'processed_column': 'performance_level', 'source_value': records.perflvl,
                'processed_value': processed.performance_level,
                'is_different': records.perflvl is distinct from processed.performance_level
            },
            {
                'raw_column': 'Subclaim1PctEarned', 'processed_column': 'subclaim_1_percent',
                'source_value': records.subclaim1pctearned,
                'processed_value': cast(processed.subclaim_1_percent as varchar),
                'is_different': try_cast(records.subclaim1pctearned as integer)
                is distinct from processed.subclaim_1_percent
                or (processed.subclaim_1_percent is null and records.subclaim1pctearned is not null)
            },
            {
                'raw_column': 'Subclaim2PctEarned', 'processed_column': 'subclaim_2_percent',
                'source_value': records.subclaim2pctearned,
                'processed_value': cast(processed.subclaim_2_percent as varchar),
                'is_different': try_cast(records.subclaim2pctearned as integer)
                is distinct from processed.subclaim_2_percent
                or (processed.subclaim_2_percent is null and records.subclaim2pctearned is not null)
            },
            {
                'raw_column': 'Subclaim3PctEarned', 'processed_column': 'subclaim_3_percent',
                'source_value': records.subclaim3pctearned,
                'processed_value': cast(processed.subclaim_3_percent as varchar),
                'is_different': try_cast(records.subclaim3pctearned as integer)
                is distinct from processed.subclaim_3_percent
                or (processed.subclaim_3_percent is null and records.subclaim3pctearned is not null)
            },
            {
                'raw_column': 'Subclaim4PctEarned', 'processed_column': 'subclaim_4_percent',
                'source_value': records.subclaim4pctearned,
                'processed_value': cast(processed.subclaim_4_percent as varchar),
                'is_different': try_cast(records.subclaim4pctearned as integer)
                is distinct from processed.subclaim_4_percent
                or (processed.subclaim_4_percent is null and records.subclaim4pctearned is not null)
            },
            {
                'raw_column': 'Subclaim5PctEarned', 'processed_column': 'subclaim_5_percent',
                'source_value': records.subclaim5pctearned,
                'processed_value': cast(processed.subclaim_5_percent as varchar),
                'is_different': try_cast(records.subclaim5pctearned as integer)
                is distinct from processed.subclaim_5_percent
                or (processed.subclaim_5_percent is null and records.subclaim5pctearned is not null)
            }
        ] as compared_values
    from pointed_records as records
    left join processed_rows as processed
        on
            records.source_id = processed.source_id
            and records.studenttestuuid = processed.assessment_id
            and processed.place = 1
    left join parts
        on records.file_id = parts.file_id and try_cast(left(records.assessmentyear, 4) as integer) + cast(length(records.assessmentyear) > 4 as integer) is not distinct from parts.part
),

-- A key that no newest file names may be named since the latest bulk that lists the AssessmentYear of its row.
named as (
    select
        records.file_id,
        records.studenttestuuid as record_key
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
    'state/co_cmas' as feed,
    *
from doubts
union all by name
select
    'record' as kind,
    'state/co_cmas' as feed,
    *
from compared_records
union all by name
select
    'present_key' as kind,
    'state/co_cmas' as feed,
    *
from present_keys

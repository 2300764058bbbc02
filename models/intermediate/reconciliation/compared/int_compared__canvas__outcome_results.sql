-- One row per doubt that canvas/outcome_results and fct_canvas_outcome_result raise, per record that speaks of one, and
-- per key of one that is present. In doubt is a record of the newest files that the mart does not hold as it is, an
-- active row that none of them names, and a key that stands twice. Written by `rollcall layouts compare`.
-- noqa: disable=LT02,LT05,RF05
{{ config(enabled=is_used('canvas')) }}

with files as (
    select * from {{ ref('int_compared_files') }}
    where feed = 'canvas/outcome_results'
),

-- What is compared of a record.
raw_records as not materialized (
    select
        records.file_id,
        records.record_number,
        records.line_number,
        records."student id",
        records."student sis id",
        records."assessment id",
        records."assessment type",
        records."learning outcome id",
        records."assessment question id",
        records."student name",
        records."assessment title",
        records."submission date",
        records."submission score",
        records."learning outcome name",
        records.attempt,
        records."outcome score",
        records."assessment question",
        records."course name",
        records."course id",
        records."course sis id",
        records."assignment url",
        records."learning outcome friendly name",
        records."learning outcome points possible",
        records."learning outcome mastery score",
        records."learning outcome mastered",
        records."learning outcome rating",
        records."learning outcome rating points"
    from {{ source('raw_canvas', 'outcome_results') }} as records
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
        replace(records."student id", '|', '||') || ' | ' || coalesce(replace(records."student sis id", '|', '||'), '') || ' | ' || replace(records."assessment id", '|', '||') || ' | ' || replace(records."assessment type", '|', '||') || ' | ' || replace(records."learning outcome id", '|', '||') || ' | ' || coalesce(replace(records."assessment question id", '|', '||'), '') as record_key,
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
        coalesce(records.record_key, replace(processed.student_id, '|', '||') || ' | ' || coalesce(replace(processed.student_sis_id, '|', '||'), '') || ' | ' || replace(processed.assessment_id, '|', '||') || ' | ' || replace(processed.assessment_type, '|', '||') || ' | ' || replace(processed.outcome_id, '|', '||') || ' | ' || coalesce(replace(processed.question_id, '|', '||'), '')) as record_key,
        records.file_id,
        records.record_number,
        records.line_number,
        coalesce(records.is_malformed, false) as is_malformed,
        processed.file_id as processed_file_id,
        processed.record_number as processed_record_number,
        processed.is_active,
        1 as row_count
    from records
    full join {{ ref('fct_canvas_outcome_result') }} as processed
        on records.source_id = processed.source_id and records.record_key = replace(processed.student_id, '|', '||') || ' | ' || coalesce(replace(processed.student_sis_id, '|', '||'), '') || ' | ' || replace(processed.assessment_id, '|', '||') || ' | ' || replace(processed.assessment_type, '|', '||') || ' | ' || replace(processed.outcome_id, '|', '||') || ' | ' || coalesce(replace(processed.question_id, '|', '||'), '')
    where
        (records.file_id is null and processed.is_active)
        or records.is_malformed
        or (
            records.file_id is not null
            and (
                processed.is_active is distinct from true
                or (records.is_visible and records.file_id <> processed.file_id)
                or (records.is_visible and records.record_number <> processed.record_number)
                or records."student name" is distinct from processed.student_name
                or records."assessment title" is distinct from processed.assessment_title
                or {{ rollcall.compared_instant('records."submission date"') }} is distinct from processed.submitted_at
                or (processed.submitted_at is null and records."submission date" is not null)
                or try_cast(records."submission score" as decimal(18, 6)) is distinct from processed.submission_score
                or (processed.submission_score is null and records."submission score" is not null)
                or records."learning outcome name" is distinct from processed.outcome_name
                or try_cast(records.attempt as integer) is distinct from processed.attempt
                or (processed.attempt is null and records.attempt is not null)
                or try_cast(records."outcome score" as decimal(18, 6)) is distinct from processed.outcome_score
                or (processed.outcome_score is null and records."outcome score" is not null)
                or records."assessment question" is distinct from processed.question_title
                or records."course name" is distinct from processed.course_name
                or records."course id" is distinct from processed.course_id
                or records."course sis id" is distinct from processed.course_sis_id
                or records."assignment url" is distinct from processed.assignment_url
                or records."learning outcome friendly name" is distinct from processed.outcome_friendly_name
                or (
                    (records."learning outcome points possible" is not null or processed.points_possible is not null)
                    and (
                        try_cast(records."learning outcome points possible" as decimal(18, 6))
                        is distinct from processed.points_possible
                        or (processed.points_possible is null
                        and records."learning outcome points possible" is not null)
                    )
                )
                or (
                    (records."learning outcome mastery score" is not null or processed.mastery_points is not null)
                    and (
                        try_cast(records."learning outcome mastery score" as decimal(18, 6))
                        is distinct from processed.mastery_points
                        or (processed.mastery_points is null and records."learning outcome mastery score" is not null)
                    )
                )
                or records."learning outcome mastered" is distinct from processed.mastered_code
                or records."learning outcome rating" is distinct from processed.rating
                or (
                    (records."learning outcome rating points" is not null or processed.rating_points is not null)
                    and (
                        try_cast(records."learning outcome rating points" as decimal(18, 6))
                        is distinct from processed.rating_points
                        or (processed.rating_points is null and records."learning outcome rating points" is not null)
                    )
                )
            )
        )

    union all by name

    select
        source_id,
        replace(student_id, '|', '||') || ' | ' || coalesce(replace(student_sis_id, '|', '||'), '') || ' | ' || replace(assessment_id, '|', '||') || ' | ' || replace(assessment_type, '|', '||') || ' | ' || replace(outcome_id, '|', '||') || ' | ' || coalesce(replace(question_id, '|', '||'), '') as record_key,
        false as is_malformed,
        min(file_id) as processed_file_id,
        min(record_number) as processed_record_number,
        true as is_active,
        count(*) as row_count
    from {{ ref('fct_canvas_outcome_result') }}
    group by source_id, replace(student_id, '|', '||') || ' | ' || coalesce(replace(student_sis_id, '|', '||'), '') || ' | ' || replace(assessment_id, '|', '||') || ' | ' || replace(assessment_type, '|', '||') || ' | ' || replace(outcome_id, '|', '||') || ' | ' || coalesce(replace(question_id, '|', '||'), '')
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
            partition by processed.source_id, replace(processed.student_id, '|', '||') || ' | ' || coalesce(replace(processed.student_sis_id, '|', '||'), '') || ' | ' || replace(processed.assessment_id, '|', '||') || ' | ' || replace(processed.assessment_type, '|', '||') || ' | ' || replace(processed.outcome_id, '|', '||') || ' | ' || coalesce(replace(processed.question_id, '|', '||'), '')
            order by processed.file_id, processed.record_number
        ) as place
    from {{ ref('fct_canvas_outcome_result') }} as processed
    inner join keys
        on processed.source_id = keys.source_id and replace(processed.student_id, '|', '||') || ' | ' || coalesce(replace(processed.student_sis_id, '|', '||'), '') || ' | ' || replace(processed.assessment_id, '|', '||') || ' | ' || replace(processed.assessment_type, '|', '||') || ' | ' || replace(processed.outcome_id, '|', '||') || ' | ' || coalesce(replace(processed.question_id, '|', '||'), '') = keys.record_key
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
        replace(records."student id", '|', '||') || ' | ' || coalesce(replace(records."student sis id", '|', '||'), '') || ' | ' || replace(records."assessment id", '|', '||') || ' | ' || replace(records."assessment type", '|', '||') || ' | ' || replace(records."learning outcome id", '|', '||') || ' | ' || coalesce(replace(records."assessment question id", '|', '||'), '') as record_key,
        records.file_id,
        records.record_number,
        false as is_deletion,
        cast(null as timestamp) as modified_at,
        [
            {
                'raw_column': 'student name', 'processed_column': 'student_name',
                'source_value': records."student name", 'processed_value': processed.student_name,
                'is_different': records."student name" is distinct from processed.student_name
            },
            {
                'raw_column': 'assessment title', 'processed_column': 'assessment_title',
                'source_value': records."assessment title", 'processed_value': processed.assessment_title,
                'is_different': records."assessment title" is distinct from processed.assessment_title
            },
            {
                'raw_column': 'submission date', 'processed_column': 'submitted_at',
                'source_value': records."submission date", 'processed_value': cast(processed.submitted_at as varchar),
                'is_different': {{ rollcall.compared_instant('records."submission date"') }}
                is distinct from processed.submitted_at
                or (processed.submitted_at is null and records."submission date" is not null)
            },
            {
                'raw_column': 'submission score', 'processed_column': 'submission_score',
                'source_value': records."submission score",
                'processed_value': cast(processed.submission_score as varchar),
                'is_different': try_cast(records."submission score" as decimal(18, 6))
                is distinct from processed.submission_score
                or (processed.submission_score is null and records."submission score" is not null)
            },
            {
                'raw_column': 'learning outcome name', 'processed_column': 'outcome_name',
                'source_value': records."learning outcome name", 'processed_value': processed.outcome_name,
                'is_different': records."learning outcome name" is distinct from processed.outcome_name
            },
            {
                'raw_column': 'attempt', 'processed_column': 'attempt', 'source_value': records.attempt,
                'processed_value': cast(processed.attempt as varchar),
                'is_different': try_cast(records.attempt as integer) is distinct from processed.attempt
                or (processed.attempt is null and records.attempt is not null)
            },
            {
                'raw_column': 'outcome score', 'processed_column': 'outcome_score',
                'source_value': records."outcome score", 'processed_value': cast(processed.outcome_score as varchar),
                'is_different': try_cast(records."outcome score" as decimal(18, 6))
                is distinct from processed.outcome_score
                or (processed.outcome_score is null and records."outcome score" is not null)
            },
            {
                'raw_column': 'assessment question', 'processed_column': 'question_title',
                'source_value': records."assessment question", 'processed_value': processed.question_title,
                'is_different': records."assessment question" is distinct from processed.question_title
            },
            {
                'raw_column': 'course name', 'processed_column': 'course_name', 'source_value': records."course name",
                'processed_value': processed.course_name,
                'is_different': records."course name" is distinct from processed.course_name
            },
            {
                'raw_column': 'course id', 'processed_column': 'course_id', 'source_value': records."course id",
                'processed_value': processed.course_id,
                'is_different': records."course id" is distinct from processed.course_id
            },
            {
                'raw_column': 'course sis id', 'processed_column': 'course_sis_id',
                'source_value': records."course sis id", 'processed_value': processed.course_sis_id,
                'is_different': records."course sis id" is distinct from processed.course_sis_id
            },
            {
                'raw_column': 'assignment url', 'processed_column': 'assignment_url',
                'source_value': records."assignment url", 'processed_value': processed.assignment_url,
                'is_different': records."assignment url" is distinct from processed.assignment_url
            },
            {
                'raw_column': 'learning outcome friendly name', 'processed_column': 'outcome_friendly_name',
                'source_value': records."learning outcome friendly name",
                'processed_value': processed.outcome_friendly_name,
                'is_different': records."learning outcome friendly name"
                is distinct from processed.outcome_friendly_name
            },
            {
                'raw_column': 'learning outcome points possible', 'processed_column': 'points_possible',
                'source_value': records."learning outcome points possible",
                'processed_value': cast(processed.points_possible as varchar),
                'is_different': try_cast(records."learning outcome points possible" as decimal(18, 6))
                is distinct from processed.points_possible
                or (processed.points_possible is null and records."learning outcome points possible" is not null)
            },
            {
                'raw_column': 'learning outcome mastery score', 'processed_column': 'mastery_points',
                'source_value': records."learning outcome mastery score",
                'processed_value': cast(processed.mastery_points as varchar),
                'is_different': try_cast(records."learning outcome mastery score" as decimal(18, 6))
                is distinct from processed.mastery_points
                or (processed.mastery_points is null and records."learning outcome mastery score" is not null)
            },
            {
                'raw_column': 'learning outcome mastered', 'processed_column': 'mastered_code',
                'source_value': records."learning outcome mastered", 'processed_value': processed.mastered_code,
                'is_different': records."learning outcome mastered" is distinct from processed.mastered_code
            },
            {
                'raw_column': 'learning outcome rating', 'processed_column': 'rating',
                'source_value': records."learning outcome rating", 'processed_value': processed.rating,
                'is_different': records."learning outcome rating" is distinct from processed.rating
            },
            {
                'raw_column': 'learning outcome rating points', 'processed_column': 'rating_points',
                'source_value': records."learning outcome rating points",
                'processed_value': cast(processed.rating_points as varchar),
                'is_different': try_cast(records."learning outcome rating points" as decimal(18, 6))
                is distinct from processed.rating_points
                or (processed.rating_points is null and records."learning outcome rating points" is not null)
            }
        ] as compared_values
    from pointed_records as records
    left join processed_rows as processed
        on
            records.source_id = processed.source_id
            and replace(records."student id", '|', '||') || ' | ' || coalesce(replace(records."student sis id", '|', '||'), '') || ' | ' || replace(records."assessment id", '|', '||') || ' | ' || replace(records."assessment type", '|', '||') || ' | ' || replace(records."learning outcome id", '|', '||') || ' | ' || coalesce(replace(records."assessment question id", '|', '||'), '') = replace(processed.student_id, '|', '||') || ' | ' || coalesce(replace(processed.student_sis_id, '|', '||'), '') || ' | ' || replace(processed.assessment_id, '|', '||') || ' | ' || replace(processed.assessment_type, '|', '||') || ' | ' || replace(processed.outcome_id, '|', '||') || ' | ' || coalesce(replace(processed.question_id, '|', '||'), '')
            and processed.place = 1
),

-- A key that no newest file names may be named by the latest bulk or a file since.
present_keys as (
    select distinct
        files.source_id,
        replace(records."student id", '|', '||') || ' | ' || coalesce(replace(records."student sis id", '|', '||'), '') || ' | ' || replace(records."assessment id", '|', '||') || ' | ' || replace(records."assessment type", '|', '||') || ' | ' || replace(records."learning outcome id", '|', '||') || ' | ' || coalesce(replace(records."assessment question id", '|', '||'), '') as record_key
    from trimmed_records as records
    inner join files
        on records.file_id = files.file_id and files.is_since_latest_bulk and not files.is_in_scope
    inner join keys
        on files.source_id = keys.source_id and replace(records."student id", '|', '||') || ' | ' || coalesce(replace(records."student sis id", '|', '||'), '') || ' | ' || replace(records."assessment id", '|', '||') || ' | ' || replace(records."assessment type", '|', '||') || ' | ' || replace(records."learning outcome id", '|', '||') || ' | ' || coalesce(replace(records."assessment question id", '|', '||'), '') = keys.record_key
)

select
    'doubt' as kind,
    'canvas/outcome_results' as feed,
    *
from doubts
union all by name
select
    'record' as kind,
    'canvas/outcome_results' as feed,
    *
from compared_records
union all by name
select
    'present_key' as kind,
    'canvas/outcome_results' as feed,
    *
from present_keys

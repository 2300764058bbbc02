-- One row per doubt that nwea/assessment_results and fct_nwea_assessment_result raise, per record that speaks of one,
-- and per key of one that is present. In doubt is a record of the newest files that the mart does not hold as it is, an
-- active row that none of them names, and a key that stands twice. Written by `rollcall layouts compare`.
-- noqa: disable=LT05
{{ config(enabled=is_used('nwea')) }}

with parts as (
    select * from {{ ref('int_compared_parts__nwea__assessment_results') }}
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
    where files.feed = 'nwea/assessment_results'
),

-- What is compared of a record.
raw_records as not materialized (
    select
        records.file_id,
        records.record_number,
        records.line_number,
        records.termname,
        records.studentid,
        records.testname,
        records.teststartdate,
        records.teststarttime,
        records.schoolname,
        records.measurementscale,
        records.discipline,
        records.growthmeasureyn,
        records.testtype,
        records.testid,
        records.testritscore,
        records.teststandarderror,
        records.testpercentile,
        records.rittoreadingscore,
        records.goal1name,
        records.goal1ritscore,
        records.goal1adjective,
        records.goal2name,
        records.goal2ritscore,
        records.goal2adjective,
        records.goal3name,
        records.goal3ritscore,
        records.goal3adjective,
        records.goal4name,
        records.goal4ritscore,
        records.goal4adjective,
        records.goal5name,
        records.goal5ritscore,
        records.goal5adjective,
        records.goal6name,
        records.goal6ritscore,
        records.goal6adjective,
        records.goal7name,
        records.goal7ritscore,
        records.goal7adjective,
        records.goal8name,
        records.goal8ritscore,
        records.goal8adjective,
        records.percentcorrect,
        records.student_stateid,
        records.normsreferencedata,
        records.achievementquintile,
        records.quantilescore,
        records.studentlastname,
        records.studentfirstname,
        records.studentdateofbirth,
        records.grade
    from {{ source('raw_nwea', 'assessment_results') }} as records
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
        replace(records.termname, '|', '||') || ' | ' || replace(records.studentid, '|', '||') || ' | ' || replace(records.testname, '|', '||') || ' | ' || replace(coalesce(cast(cast(if(records.teststartdate like '%/____', try_strptime(records.teststartdate, '%m/%d/%Y'), null) as date) as varchar), records.teststartdate), '|', '||') || ' | ' || replace(coalesce(cast(cast(try_strptime(records.teststarttime, '%H:%M:%S') as time) as varchar), records.teststarttime), '|', '||') as record_key,
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
        coalesce(records.record_key, replace(processed.term_name, '|', '||') || ' | ' || replace(processed.student_id, '|', '||') || ' | ' || replace(processed.test_name, '|', '||') || ' | ' || replace(cast(processed.test_date as varchar), '|', '||') || ' | ' || replace(cast(processed.test_time as varchar), '|', '||')) as record_key,
        records.file_id,
        records.record_number,
        records.line_number,
        coalesce(records.is_malformed, false) as is_malformed,
        processed.file_id as processed_file_id,
        processed.record_number as processed_record_number,
        processed.is_active,
        1 as row_count
    from records
    full join {{ ref('fct_nwea_assessment_result') }} as processed
        on records.source_id = processed.source_id and records.record_key = replace(processed.term_name, '|', '||') || ' | ' || replace(processed.student_id, '|', '||') || ' | ' || replace(processed.test_name, '|', '||') || ' | ' || replace(cast(processed.test_date as varchar), '|', '||') || ' | ' || replace(cast(processed.test_time as varchar), '|', '||')
    where
        (records.file_id is null and processed.is_active)
        or records.is_malformed
        or (
            records.file_id is not null
            and (
                processed.is_active is distinct from true
                or (records.is_visible and records.file_id <> processed.file_id)
                or (records.is_visible and records.record_number <> processed.record_number)
                or records.schoolname is distinct from processed.school_name
                or records.measurementscale is distinct from processed.course
                or records.discipline is distinct from processed.subject
                or try_cast(records.growthmeasureyn as boolean) is distinct from processed.is_growth_measure
                or (processed.is_growth_measure is null and records.growthmeasureyn is not null)
                or records.testtype is distinct from processed.test_type
                or records.testid is distinct from processed.test_id
                or try_cast(records.testritscore as integer) is distinct from processed.rit_score
                or (processed.rit_score is null and records.testritscore is not null)
                or try_cast(records.teststandarderror as decimal(18, 6)) is distinct from processed.standard_error
                or (processed.standard_error is null and records.teststandarderror is not null)
                or try_cast(records.testpercentile as integer) is distinct from processed.percentile
                or (processed.percentile is null and records.testpercentile is not null)
                or records.rittoreadingscore is distinct from processed.lexile_score
                or records.goal1name is distinct from processed.goal_1_name
                or try_cast(records.goal1ritscore as integer) is distinct from processed.goal_1_rit_score
                or (processed.goal_1_rit_score is null and records.goal1ritscore is not null)
                or records.goal1adjective is distinct from processed.goal_1_adjective
                or records.goal2name is distinct from processed.goal_2_name
                or try_cast(records.goal2ritscore as integer) is distinct from processed.goal_2_rit_score
                or (processed.goal_2_rit_score is null and records.goal2ritscore is not null)
                or records.goal2adjective is distinct from processed.goal_2_adjective
                or records.goal3name is distinct from processed.goal_3_name
                or try_cast(records.goal3ritscore as integer) is distinct from processed.goal_3_rit_score
                or (processed.goal_3_rit_score is null and records.goal3ritscore is not null)
                or records.goal3adjective is distinct from processed.goal_3_adjective
                or records.goal4name is distinct from processed.goal_4_name
                or try_cast(records.goal4ritscore as integer) is distinct from processed.goal_4_rit_score
                or (processed.goal_4_rit_score is null and records.goal4ritscore is not null)
                or records.goal4adjective is distinct from processed.goal_4_adjective
                or records.goal5name is distinct from processed.goal_5_name
                or try_cast(records.goal5ritscore as integer) is distinct from processed.goal_5_rit_score
                or (processed.goal_5_rit_score is null and records.goal5ritscore is not null)
                or records.goal5adjective is distinct from processed.goal_5_adjective
                or records.goal6name is distinct from processed.goal_6_name
                or try_cast(records.goal6ritscore as integer) is distinct from processed.goal_6_rit_score
                or (processed.goal_6_rit_score is null and records.goal6ritscore is not null)
                or records.goal6adjective is distinct from processed.goal_6_adjective
                or records.goal7name is distinct from processed.goal_7_name
                or try_cast(records.goal7ritscore as integer) is distinct from processed.goal_7_rit_score
                or (processed.goal_7_rit_score is null and records.goal7ritscore is not null)
                or records.goal7adjective is distinct from processed.goal_7_adjective
                or records.goal8name is distinct from processed.goal_8_name
                or try_cast(records.goal8ritscore as integer) is distinct from processed.goal_8_rit_score
                or (processed.goal_8_rit_score is null and records.goal8ritscore is not null)
                or records.goal8adjective is distinct from processed.goal_8_adjective
                or try_cast(records.percentcorrect as decimal(18, 6)) is distinct from processed.percent_correct
                or (processed.percent_correct is null and records.percentcorrect is not null)
                or records.student_stateid is distinct from processed.student_state_id
                or records.normsreferencedata is distinct from processed.norms_reference
                or records.achievementquintile is distinct from processed.quintile
                or records.quantilescore is distinct from processed.quantile_score
                or records.studentlastname is distinct from processed.family_name
                or records.studentfirstname is distinct from processed.given_name
                or (
                    (records.studentdateofbirth is not null or processed.birth_date is not null)
                    and (
                        cast(if(records.studentdateofbirth like '%/____', try_strptime(records.studentdateofbirth, '%m/%d/%Y'), null) as date)
                        is distinct from processed.birth_date
                        or (processed.birth_date is null and records.studentdateofbirth is not null)
                    )
                )
                or records.grade is distinct from processed.grade
            )
        )

    union all by name

    select
        source_id,
        replace(term_name, '|', '||') || ' | ' || replace(student_id, '|', '||') || ' | ' || replace(test_name, '|', '||') || ' | ' || replace(cast(test_date as varchar), '|', '||') || ' | ' || replace(cast(test_time as varchar), '|', '||') as record_key,
        false as is_malformed,
        min(file_id) as processed_file_id,
        min(record_number) as processed_record_number,
        true as is_active,
        count(*) as row_count
    from {{ ref('fct_nwea_assessment_result') }}
    group by source_id, replace(term_name, '|', '||') || ' | ' || replace(student_id, '|', '||') || ' | ' || replace(test_name, '|', '||') || ' | ' || replace(cast(test_date as varchar), '|', '||') || ' | ' || replace(cast(test_time as varchar), '|', '||')
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
            partition by processed.source_id, replace(processed.term_name, '|', '||') || ' | ' || replace(processed.student_id, '|', '||') || ' | ' || replace(processed.test_name, '|', '||') || ' | ' || replace(cast(processed.test_date as varchar), '|', '||') || ' | ' || replace(cast(processed.test_time as varchar), '|', '||')
            order by processed.file_id, processed.record_number
        ) as place
    from {{ ref('fct_nwea_assessment_result') }} as processed
    inner join keys
        on processed.source_id = keys.source_id and replace(processed.term_name, '|', '||') || ' | ' || replace(processed.student_id, '|', '||') || ' | ' || replace(processed.test_name, '|', '||') || ' | ' || replace(cast(processed.test_date as varchar), '|', '||') || ' | ' || replace(cast(processed.test_time as varchar), '|', '||') = keys.record_key
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
        replace(records.termname, '|', '||') || ' | ' || replace(records.studentid, '|', '||') || ' | ' || replace(records.testname, '|', '||') || ' | ' || replace(coalesce(cast(cast(if(records.teststartdate like '%/____', try_strptime(records.teststartdate, '%m/%d/%Y'), null) as date) as varchar), records.teststartdate), '|', '||') || ' | ' || replace(coalesce(cast(cast(try_strptime(records.teststarttime, '%H:%M:%S') as time) as varchar), records.teststarttime), '|', '||') as record_key,
        records.file_id,
        records.record_number,
        false as is_deletion,
        cast(null as timestamp) as modified_at,
        parts.is_in_scope,
        [
            {
                'raw_column': 'SchoolName', 'processed_column': 'school_name', 'source_value': records.schoolname,
                'processed_value': processed.school_name,
                'is_different': records.schoolname is distinct from processed.school_name
            },
            {
                'raw_column': 'MeasurementScale', 'processed_column': 'course',
                'source_value': records.measurementscale, 'processed_value': processed.course,
                'is_different': records.measurementscale is distinct from processed.course
            },
            {
                'raw_column': 'Discipline', 'processed_column': 'subject', 'source_value': records.discipline,
                'processed_value': processed.subject,
                'is_different': records.discipline is distinct from processed.subject
            },
            {
                'raw_column': 'GrowthMeasureYN', 'processed_column': 'is_growth_measure',
                'source_value': records.growthmeasureyn,
                'processed_value': cast(processed.is_growth_measure as varchar),
                'is_different': try_cast(records.growthmeasureyn as boolean)
                is distinct from processed.is_growth_measure
                or (processed.is_growth_measure is null and records.growthmeasureyn is not null)
            },
            {
                'raw_column': 'TestType', 'processed_column': 'test_type', 'source_value': records.testtype,
                'processed_value': processed.test_type,
                'is_different': records.testtype is distinct from processed.test_type
            },
            {
                'raw_column': 'TestID', 'processed_column': 'test_id', 'source_value': records.testid,
                'processed_value': processed.test_id, 'is_different': records.testid is distinct from processed.test_id
            },
            {
                'raw_column': 'TestRITScore', 'processed_column': 'rit_score', 'source_value': records.testritscore,
                'processed_value': cast(processed.rit_score as varchar),
                'is_different': try_cast(records.testritscore as integer) is distinct from processed.rit_score
                or (processed.rit_score is null and records.testritscore is not null)
            },
            {
                'raw_column': 'TestStandardError', 'processed_column': 'standard_error',
                'source_value': records.teststandarderror, 'processed_value': cast(processed.standard_error as varchar),
                'is_different': try_cast(records.teststandarderror as decimal(18, 6))
                is distinct from processed.standard_error
                or (processed.standard_error is null and records.teststandarderror is not null)
            },
            {
                'raw_column': 'TestPercentile', 'processed_column': 'percentile',
                'source_value': records.testpercentile, 'processed_value': cast(processed.percentile as varchar),
                'is_different': try_cast(records.testpercentile as integer) is distinct from processed.percentile
                or (processed.percentile is null and records.testpercentile is not null)
            },
            {
                'raw_column': 'RITtoReadingScore', 'processed_column': 'lexile_score',
                'source_value': records.rittoreadingscore, 'processed_value': processed.lexile_score,
                'is_different': records.rittoreadingscore is distinct from processed.lexile_score
            },
            {
                'raw_column': 'Goal1Name', 'processed_column': 'goal_1_name', 'source_value': records.goal1name,
                'processed_value': processed.goal_1_name,
                'is_different': records.goal1name is distinct from processed.goal_1_name
            },
            {
                'raw_column': 'Goal1RitScore', 'processed_column': 'goal_1_rit_score',
                'source_value': records.goal1ritscore, 'processed_value': cast(processed.goal_1_rit_score as varchar),
                'is_different': try_cast(records.goal1ritscore as integer) is distinct from processed.goal_1_rit_score
                or (processed.goal_1_rit_score is null and records.goal1ritscore is not null)
            },
            {
                'raw_column': 'Goal1Adjective', 'processed_column': 'goal_1_adjective',
                'source_value': records.goal1adjective, 'processed_value': processed.goal_1_adjective,
                'is_different': records.goal1adjective is distinct from processed.goal_1_adjective
            },
            {
                'raw_column': 'Goal2Name', 'processed_column': 'goal_2_name', 'source_value': records.goal2name,
                'processed_value': processed.goal_2_name,
                'is_different': records.goal2name is distinct from processed.goal_2_name
            },
            {
                'raw_column': 'Goal2RitScore', 'processed_column': 'goal_2_rit_score',
                'source_value': records.goal2ritscore, 'processed_value': cast(processed.goal_2_rit_score as varchar),
                'is_different': try_cast(records.goal2ritscore as integer) is distinct from processed.goal_2_rit_score
                or (processed.goal_2_rit_score is null and records.goal2ritscore is not null)
            },
            {
                'raw_column': 'Goal2Adjective', 'processed_column': 'goal_2_adjective',
                'source_value': records.goal2adjective, 'processed_value': processed.goal_2_adjective,
                'is_different': records.goal2adjective is distinct from processed.goal_2_adjective
            },
            {
                'raw_column': 'Goal3Name', 'processed_column': 'goal_3_name', 'source_value': records.goal3name,
                'processed_value': processed.goal_3_name,
                'is_different': records.goal3name is distinct from processed.goal_3_name
            },
            {
                'raw_column': 'Goal3RitScore', 'processed_column': 'goal_3_rit_score',
                'source_value': records.goal3ritscore, 'processed_value': cast(processed.goal_3_rit_score as varchar),
                'is_different': try_cast(records.goal3ritscore as integer) is distinct from processed.goal_3_rit_score
                or (processed.goal_3_rit_score is null and records.goal3ritscore is not null)
            },
            {
                'raw_column': 'Goal3Adjective', 'processed_column': 'goal_3_adjective',
                'source_value': records.goal3adjective, 'processed_value': processed.goal_3_adjective,
                'is_different': records.goal3adjective is distinct from processed.goal_3_adjective
            },
            {
                'raw_column': 'Goal4Name', 'processed_column': 'goal_4_name', 'source_value': records.goal4name,
                'processed_value': processed.goal_4_name,
                'is_different': records.goal4name is distinct from processed.goal_4_name
            },
            {
                'raw_column': 'Goal4RitScore', 'processed_column': 'goal_4_rit_score',
                'source_value': records.goal4ritscore, 'processed_value': cast(processed.goal_4_rit_score as varchar),
                'is_different': try_cast(records.goal4ritscore as integer) is distinct from processed.goal_4_rit_score
                or (processed.goal_4_rit_score is null and records.goal4ritscore is not null)
            },
            {
                'raw_column': 'Goal4Adjective', 'processed_column': 'goal_4_adjective',
                'source_value': records.goal4adjective, 'processed_value': processed.goal_4_adjective,
                'is_different': records.goal4adjective is distinct from processed.goal_4_adjective
            },
            {
                'raw_column': 'Goal5Name', 'processed_column': 'goal_5_name', 'source_value': records.goal5name,
                'processed_value': processed.goal_5_name,
                'is_different': records.goal5name is distinct from processed.goal_5_name
            },
            {
                'raw_column': 'Goal5RitScore', 'processed_column': 'goal_5_rit_score',
                'source_value': records.goal5ritscore, 'processed_value': cast(processed.goal_5_rit_score as varchar),
                'is_different': try_cast(records.goal5ritscore as integer) is distinct from processed.goal_5_rit_score
                or (processed.goal_5_rit_score is null and records.goal5ritscore is not null)
            },
            {
                'raw_column': 'Goal5Adjective', 'processed_column': 'goal_5_adjective',
                'source_value': records.goal5adjective, 'processed_value': processed.goal_5_adjective,
                'is_different': records.goal5adjective is distinct from processed.goal_5_adjective
            },
            {
                'raw_column': 'Goal6Name', 'processed_column': 'goal_6_name', 'source_value': records.goal6name,
                'processed_value': processed.goal_6_name,
                'is_different': records.goal6name is distinct from processed.goal_6_name
            },
            {
                'raw_column': 'Goal6RitScore', 'processed_column': 'goal_6_rit_score',
                'source_value': records.goal6ritscore, 'processed_value': cast(processed.goal_6_rit_score as varchar),
                'is_different': try_cast(records.goal6ritscore as integer) is distinct from processed.goal_6_rit_score
                or (processed.goal_6_rit_score is null and records.goal6ritscore is not null)
            },
            {
                'raw_column': 'Goal6Adjective', 'processed_column': 'goal_6_adjective',
                'source_value': records.goal6adjective, 'processed_value': processed.goal_6_adjective,
                'is_different': records.goal6adjective is distinct from processed.goal_6_adjective
            },
            {
                'raw_column': 'Goal7Name', 'processed_column': 'goal_7_name', 'source_value': records.goal7name,
                'processed_value': processed.goal_7_name,
                'is_different': records.goal7name is distinct from processed.goal_7_name
            },
            {
                'raw_column': 'Goal7RitScore', 'processed_column': 'goal_7_rit_score',
                'source_value': records.goal7ritscore, 'processed_value': cast(processed.goal_7_rit_score as varchar),
                'is_different': try_cast(records.goal7ritscore as integer) is distinct from processed.goal_7_rit_score
                or (processed.goal_7_rit_score is null and records.goal7ritscore is not null)
            },
            {
                'raw_column': 'Goal7Adjective', 'processed_column': 'goal_7_adjective',
                'source_value': records.goal7adjective, 'processed_value': processed.goal_7_adjective,
                'is_different': records.goal7adjective is distinct from processed.goal_7_adjective
            },
            {
                'raw_column': 'Goal8Name', 'processed_column': 'goal_8_name', 'source_value': records.goal8name,
                'processed_value': processed.goal_8_name,
                'is_different': records.goal8name is distinct from processed.goal_8_name
            },
            {
                'raw_column': 'Goal8RitScore', 'processed_column': 'goal_8_rit_score',
                'source_value': records.goal8ritscore, 'processed_value': cast(processed.goal_8_rit_score as varchar),
                'is_different': try_cast(records.goal8ritscore as integer) is distinct from processed.goal_8_rit_score
                or (processed.goal_8_rit_score is null and records.goal8ritscore is not null)
            },
            {
                'raw_column': 'Goal8Adjective', 'processed_column': 'goal_8_adjective',
                'source_value': records.goal8adjective, 'processed_value': processed.goal_8_adjective,
                'is_different': records.goal8adjective is distinct from processed.goal_8_adjective
            },
            {
                'raw_column': 'PercentCorrect', 'processed_column': 'percent_correct',
                'source_value': records.percentcorrect, 'processed_value': cast(processed.percent_correct as varchar),
                'is_different': try_cast(records.percentcorrect as decimal(18, 6))
                is distinct from processed.percent_correct
                or (processed.percent_correct is null and records.percentcorrect is not null)
            },
            {
                'raw_column': 'Student_StateID', 'processed_column': 'student_state_id',
                'source_value': records.student_stateid, 'processed_value': processed.student_state_id,
                'is_different': records.student_stateid is distinct from processed.student_state_id
            },
            {
                'raw_column': 'NormsReferenceData', 'processed_column': 'norms_reference',
                'source_value': records.normsreferencedata, 'processed_value': processed.norms_reference,
                'is_different': records.normsreferencedata is distinct from processed.norms_reference
            },
            {
                'raw_column': 'AchievementQuintile', 'processed_column': 'quintile',
                'source_value': records.achievementquintile, 'processed_value': processed.quintile,
                'is_different': records.achievementquintile is distinct from processed.quintile
            },
            {
                'raw_column': 'QuantileScore', 'processed_column': 'quantile_score',
                'source_value': records.quantilescore, 'processed_value': processed.quantile_score,
                'is_different': records.quantilescore is distinct from processed.quantile_score
            },
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
            and replace(records.termname, '|', '||') || ' | ' || replace(records.studentid, '|', '||') || ' | ' || replace(records.testname, '|', '||') || ' | ' || replace(coalesce(cast(cast(if(records.teststartdate like '%/____', try_strptime(records.teststartdate, '%m/%d/%Y'), null) as date) as varchar), records.teststartdate), '|', '||') || ' | ' || replace(coalesce(cast(cast(try_strptime(records.teststarttime, '%H:%M:%S') as time) as varchar), records.teststarttime), '|', '||') = replace(processed.term_name, '|', '||') || ' | ' || replace(processed.student_id, '|', '||') || ' | ' || replace(processed.test_name, '|', '||') || ' | ' || replace(cast(processed.test_date as varchar), '|', '||') || ' | ' || replace(cast(processed.test_time as varchar), '|', '||')
            and processed.place = 1
    left join parts
        on records.file_id = parts.file_id and records.termname is not distinct from parts.part
),

-- A key that no newest file names may be named since the latest bulk that lists the TermName of its row.
named as (
    select
        records.file_id,
        replace(records.termname, '|', '||') || ' | ' || replace(records.studentid, '|', '||') || ' | ' || replace(records.testname, '|', '||') || ' | ' || replace(coalesce(cast(cast(if(records.teststartdate like '%/____', try_strptime(records.teststartdate, '%m/%d/%Y'), null) as date) as varchar), records.teststartdate), '|', '||') || ' | ' || replace(coalesce(cast(cast(try_strptime(records.teststarttime, '%H:%M:%S') as time) as varchar), records.teststarttime), '|', '||') as record_key
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
            and named.record_key = replace(processed.term_name, '|', '||') || ' | ' || replace(processed.student_id, '|', '||') || ' | ' || replace(processed.test_name, '|', '||') || ' | ' || replace(cast(processed.test_date as varchar), '|', '||') || ' | ' || replace(cast(processed.test_time as varchar), '|', '||')
            and processed.place = 1
    left join bulks
        on
            processed.source_id = bulks.source_id
            and processed.term_name is not distinct from bulks.part
    where coalesce(files.exported_at >= bulks.latest_bulk_exported_at, true)
)

select
    'doubt' as kind,
    'nwea/assessment_results' as feed,
    *
from doubts
union all by name
select
    'record' as kind,
    'nwea/assessment_results' as feed,
    *
from compared_records
union all by name
select
    'present_key' as kind,
    'nwea/assessment_results' as feed,
    *
from present_keys

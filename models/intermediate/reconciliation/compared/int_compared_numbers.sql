-- One row per number of a record of the newest files, and per number of an active row of a mart. Written by `rollcall
-- layouts compare`.
-- noqa: disable=LT02,LT05,RF05
with files as (
    select * from {{ ref('int_compared_files') }}
    where is_in_scope and is_visible
)

select
    cast(null as varchar) as source_id,
    cast(null as varchar) as feed,
    cast(null as varchar) as column_name,
    cast(null as varchar) as file_id,
    cast(null as bigint) as record_number,
    cast(null as varchar) as record_key,
    cast(null as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from files
where false

{% if reads_oneroster() %}

union all

select
    files.source_id,
    'oneroster/line_items' as feed,
    'score_min' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records.resultvaluemin as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            status, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as status,
        regexp_replace(
            resultvaluemin, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as resultvaluemin
    from {{ source('raw_oneroster', 'line_items') }}
) as records
inner join files on records.file_id = files.file_id
where coalesce(lower(records.status) not in ('tobedeleted', 'inactive'), true)

union all

select
    source_id,
    'oneroster/line_items' as feed,
    'score_min' as column_name,
    file_id,
    record_number,
    line_item_id as record_key,
    cast(null as decimal(18, 6)) as source_number,
    score_min as processed_number
from {{ ref('dim_line_item') }}
where is_active

union all

select
    files.source_id,
    'oneroster/line_items' as feed,
    'score_max' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records.resultvaluemax as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            status, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as status,
        regexp_replace(
            resultvaluemax, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as resultvaluemax
    from {{ source('raw_oneroster', 'line_items') }}
) as records
inner join files on records.file_id = files.file_id
where coalesce(lower(records.status) not in ('tobedeleted', 'inactive'), true)

union all

select
    source_id,
    'oneroster/line_items' as feed,
    'score_max' as column_name,
    file_id,
    record_number,
    line_item_id as record_key,
    cast(null as decimal(18, 6)) as source_number,
    score_max as processed_number
from {{ ref('dim_line_item') }}
where is_active

union all

select
    files.source_id,
    'oneroster/result_learning_objective_ids' as feed,
    'score' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records.score as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            status, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as status,
        regexp_replace(
            score, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as score
    from {{ source('raw_oneroster', 'result_learning_objective_ids') }}
) as records
inner join files on records.file_id = files.file_id
where coalesce(lower(records.status) not in ('tobedeleted', 'inactive'), true)

union all

select
    source_id,
    'oneroster/result_learning_objective_ids' as feed,
    'score' as column_name,
    file_id,
    record_number,
    result_objective_id as record_key,
    cast(null as decimal(18, 6)) as source_number,
    score as processed_number
from {{ ref('fct_result_objective_score') }}
where is_active

union all

select
    files.source_id,
    'oneroster/results' as feed,
    'score' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records.score as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            status, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as status,
        regexp_replace(
            score, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as score
    from {{ source('raw_oneroster', 'results') }}
) as records
inner join files on records.file_id = files.file_id
where coalesce(lower(records.status) not in ('tobedeleted', 'inactive'), true)

union all

select
    source_id,
    'oneroster/results' as feed,
    'score' as column_name,
    file_id,
    record_number,
    result_id as record_key,
    cast(null as decimal(18, 6)) as source_number,
    score as processed_number
from {{ ref('fct_result') }}
where is_active

{% endif %}

{% if is_used('nwea') %}
union all

select
    files.source_id,
    'nwea/assessment_results' as feed,
    'standard_error' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records.teststandarderror as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            termname, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as termname,
        regexp_replace(
            teststandarderror, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as teststandarderror
    from {{ source('raw_nwea', 'assessment_results') }}
) as records
inner join {{ ref('int_compared_files') }} as files on records.file_id = files.file_id and files.is_visible
inner join {{ ref('int_compared_parts__nwea__assessment_results') }} as parts
    on
        records.file_id = parts.file_id
        and records.termname is not distinct from parts.part
        and parts.is_in_scope

union all

select
    source_id,
    'nwea/assessment_results' as feed,
    'standard_error' as column_name,
    file_id,
    record_number,
    replace(term_name, '|', '||') || ' | ' || replace(student_id, '|', '||') || ' | ' || replace(test_name, '|', '||') || ' | ' || replace(cast(test_date as varchar), '|', '||') || ' | ' || replace(cast(test_time as varchar), '|', '||') as record_key,
    cast(null as decimal(18, 6)) as source_number,
    standard_error as processed_number
from {{ ref('fct_nwea_assessment_result') }}
where is_active
union all

select
    files.source_id,
    'nwea/assessment_results' as feed,
    'percent_correct' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records.percentcorrect as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            termname, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as termname,
        regexp_replace(
            percentcorrect, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as percentcorrect
    from {{ source('raw_nwea', 'assessment_results') }}
) as records
inner join {{ ref('int_compared_files') }} as files on records.file_id = files.file_id and files.is_visible
inner join {{ ref('int_compared_parts__nwea__assessment_results') }} as parts
    on
        records.file_id = parts.file_id
        and records.termname is not distinct from parts.part
        and parts.is_in_scope

union all

select
    source_id,
    'nwea/assessment_results' as feed,
    'percent_correct' as column_name,
    file_id,
    record_number,
    replace(term_name, '|', '||') || ' | ' || replace(student_id, '|', '||') || ' | ' || replace(test_name, '|', '||') || ' | ' || replace(cast(test_date as varchar), '|', '||') || ' | ' || replace(cast(test_time as varchar), '|', '||') as record_key,
    cast(null as decimal(18, 6)) as source_number,
    percent_correct as processed_number
from {{ ref('fct_nwea_assessment_result') }}
where is_active
{% endif %}

{% if is_used('star') %}
union all

select
    files.source_id,
    'star/overall' as feed,
    'standard_error' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records.standarderrorofmeasurement as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            schoolyear, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as schoolyear,
        regexp_replace(
            standarderrorofmeasurement, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as standarderrorofmeasurement
    from {{ source('raw_star', 'overall') }}
) as records
inner join {{ ref('int_compared_files') }} as files on records.file_id = files.file_id and files.is_visible
inner join {{ ref('int_compared_parts__star__overall') }} as parts
    on
        records.file_id = parts.file_id
        and try_cast(left(records.schoolyear, 4) as integer) + cast(length(records.schoolyear) > 4 as integer) is not distinct from parts.part
        and parts.is_in_scope

union all

select
    source_id,
    'star/overall' as feed,
    'standard_error' as column_name,
    file_id,
    record_number,
    assessment_id as record_key,
    cast(null as decimal(18, 6)) as source_number,
    standard_error as processed_number
from {{ ref('fct_star_result') }}
where is_active
{% endif %}

{% if is_used('canvas') %}
union all

select
    files.source_id,
    'canvas/outcome_results' as feed,
    'submission_score' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records."submission score" as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            "submission score", '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as "submission score"
    from {{ source('raw_canvas', 'outcome_results') }}
) as records
inner join files on records.file_id = files.file_id

union all

select
    source_id,
    'canvas/outcome_results' as feed,
    'submission_score' as column_name,
    file_id,
    record_number,
    replace(student_id, '|', '||') || ' | ' || coalesce(replace(student_sis_id, '|', '||'), '') || ' | ' || replace(assessment_id, '|', '||') || ' | ' || replace(assessment_type, '|', '||') || ' | ' || replace(outcome_id, '|', '||') || ' | ' || coalesce(replace(question_id, '|', '||'), '') as record_key,
    cast(null as decimal(18, 6)) as source_number,
    submission_score as processed_number
from {{ ref('fct_canvas_outcome_result') }}
where is_active
union all

select
    files.source_id,
    'canvas/outcome_results' as feed,
    'outcome_score' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records."outcome score" as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            "outcome score", '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as "outcome score"
    from {{ source('raw_canvas', 'outcome_results') }}
) as records
inner join files on records.file_id = files.file_id

union all

select
    source_id,
    'canvas/outcome_results' as feed,
    'outcome_score' as column_name,
    file_id,
    record_number,
    replace(student_id, '|', '||') || ' | ' || coalesce(replace(student_sis_id, '|', '||'), '') || ' | ' || replace(assessment_id, '|', '||') || ' | ' || replace(assessment_type, '|', '||') || ' | ' || replace(outcome_id, '|', '||') || ' | ' || coalesce(replace(question_id, '|', '||'), '') as record_key,
    cast(null as decimal(18, 6)) as source_number,
    outcome_score as processed_number
from {{ ref('fct_canvas_outcome_result') }}
where is_active
union all

select
    files.source_id,
    'canvas/outcome_results' as feed,
    'points_possible' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records."learning outcome points possible" as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            "learning outcome points possible", '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as "learning outcome points possible"
    from {{ source('raw_canvas', 'outcome_results') }}
) as records
inner join files on records.file_id = files.file_id

union all

select
    source_id,
    'canvas/outcome_results' as feed,
    'points_possible' as column_name,
    file_id,
    record_number,
    replace(student_id, '|', '||') || ' | ' || coalesce(replace(student_sis_id, '|', '||'), '') || ' | ' || replace(assessment_id, '|', '||') || ' | ' || replace(assessment_type, '|', '||') || ' | ' || replace(outcome_id, '|', '||') || ' | ' || coalesce(replace(question_id, '|', '||'), '') as record_key,
    cast(null as decimal(18, 6)) as source_number,
    points_possible as processed_number
from {{ ref('fct_canvas_outcome_result') }}
where is_active
union all

select
    files.source_id,
    'canvas/outcome_results' as feed,
    'mastery_points' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records."learning outcome mastery score" as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            "learning outcome mastery score", '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as "learning outcome mastery score"
    from {{ source('raw_canvas', 'outcome_results') }}
) as records
inner join files on records.file_id = files.file_id

union all

select
    source_id,
    'canvas/outcome_results' as feed,
    'mastery_points' as column_name,
    file_id,
    record_number,
    replace(student_id, '|', '||') || ' | ' || coalesce(replace(student_sis_id, '|', '||'), '') || ' | ' || replace(assessment_id, '|', '||') || ' | ' || replace(assessment_type, '|', '||') || ' | ' || replace(outcome_id, '|', '||') || ' | ' || coalesce(replace(question_id, '|', '||'), '') as record_key,
    cast(null as decimal(18, 6)) as source_number,
    mastery_points as processed_number
from {{ ref('fct_canvas_outcome_result') }}
where is_active
union all

select
    files.source_id,
    'canvas/outcome_results' as feed,
    'rating_points' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records."learning outcome rating points" as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            "learning outcome rating points", '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as "learning outcome rating points"
    from {{ source('raw_canvas', 'outcome_results') }}
) as records
inner join files on records.file_id = files.file_id

union all

select
    source_id,
    'canvas/outcome_results' as feed,
    'rating_points' as column_name,
    file_id,
    record_number,
    replace(student_id, '|', '||') || ' | ' || coalesce(replace(student_sis_id, '|', '||'), '') || ' | ' || replace(assessment_id, '|', '||') || ' | ' || replace(assessment_type, '|', '||') || ' | ' || replace(outcome_id, '|', '||') || ' | ' || coalesce(replace(question_id, '|', '||'), '') as record_key,
    cast(null as decimal(18, 6)) as source_number,
    rating_points as processed_number
from {{ ref('fct_canvas_outcome_result') }}
where is_active
union all

select
    files.source_id,
    'canvas/student_competency' as feed,
    'submission_score' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records."submission score" as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            "submission score", '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as "submission score"
    from {{ source('raw_canvas', 'student_competency') }}
) as records
inner join files on records.file_id = files.file_id

union all

select
    source_id,
    'canvas/student_competency' as feed,
    'submission_score' as column_name,
    file_id,
    record_number,
    replace(student_id, '|', '||') || ' | ' || coalesce(replace(student_sis_id, '|', '||'), '') || ' | ' || replace(assignment_id, '|', '||') || ' | ' || replace(outcome_id, '|', '||') as record_key,
    cast(null as decimal(18, 6)) as source_number,
    submission_score as processed_number
from {{ ref('fct_canvas_competency') }}
where is_active
union all

select
    files.source_id,
    'canvas/student_competency' as feed,
    'outcome_score' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records."outcome score" as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            "outcome score", '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as "outcome score"
    from {{ source('raw_canvas', 'student_competency') }}
) as records
inner join files on records.file_id = files.file_id

union all

select
    source_id,
    'canvas/student_competency' as feed,
    'outcome_score' as column_name,
    file_id,
    record_number,
    replace(student_id, '|', '||') || ' | ' || coalesce(replace(student_sis_id, '|', '||'), '') || ' | ' || replace(assignment_id, '|', '||') || ' | ' || replace(outcome_id, '|', '||') as record_key,
    cast(null as decimal(18, 6)) as source_number,
    outcome_score as processed_number
from {{ ref('fct_canvas_competency') }}
where is_active
union all

select
    files.source_id,
    'canvas/student_competency' as feed,
    'points_possible' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records."learning outcome points possible" as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            "learning outcome points possible", '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as "learning outcome points possible"
    from {{ source('raw_canvas', 'student_competency') }}
) as records
inner join files on records.file_id = files.file_id

union all

select
    source_id,
    'canvas/student_competency' as feed,
    'points_possible' as column_name,
    file_id,
    record_number,
    replace(student_id, '|', '||') || ' | ' || coalesce(replace(student_sis_id, '|', '||'), '') || ' | ' || replace(assignment_id, '|', '||') || ' | ' || replace(outcome_id, '|', '||') as record_key,
    cast(null as decimal(18, 6)) as source_number,
    points_possible as processed_number
from {{ ref('fct_canvas_competency') }}
where is_active
union all

select
    files.source_id,
    'canvas/student_competency' as feed,
    'mastery_points' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records."learning outcome mastery score" as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            "learning outcome mastery score", '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as "learning outcome mastery score"
    from {{ source('raw_canvas', 'student_competency') }}
) as records
inner join files on records.file_id = files.file_id

union all

select
    source_id,
    'canvas/student_competency' as feed,
    'mastery_points' as column_name,
    file_id,
    record_number,
    replace(student_id, '|', '||') || ' | ' || coalesce(replace(student_sis_id, '|', '||'), '') || ' | ' || replace(assignment_id, '|', '||') || ' | ' || replace(outcome_id, '|', '||') as record_key,
    cast(null as decimal(18, 6)) as source_number,
    mastery_points as processed_number
from {{ ref('fct_canvas_competency') }}
where is_active
union all

select
    files.source_id,
    'canvas/student_competency' as feed,
    'rating_points' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records."learning outcome rating points" as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            "learning outcome rating points", '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as "learning outcome rating points"
    from {{ source('raw_canvas', 'student_competency') }}
) as records
inner join files on records.file_id = files.file_id

union all

select
    source_id,
    'canvas/student_competency' as feed,
    'rating_points' as column_name,
    file_id,
    record_number,
    replace(student_id, '|', '||') || ' | ' || coalesce(replace(student_sis_id, '|', '||'), '') || ' | ' || replace(assignment_id, '|', '||') || ' | ' || replace(outcome_id, '|', '||') as record_key,
    cast(null as decimal(18, 6)) as source_number,
    rating_points as processed_number
from {{ ref('fct_canvas_competency') }}
where is_active
{% endif %}

{% if is_used('state') %}
union all

select
    files.source_id,
    'state/co_cmas' as feed,
    'standard_error' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records.sscsem as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            assessmentyear, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as assessmentyear,
        regexp_replace(
            sscsem, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as sscsem
    from {{ source('raw_state', 'co_cmas') }}
) as records
inner join {{ ref('int_compared_files') }} as files on records.file_id = files.file_id and files.is_visible
inner join {{ ref('int_compared_parts__state__co_cmas') }} as parts
    on
        records.file_id = parts.file_id
        and try_cast(left(records.assessmentyear, 4) as integer) + cast(length(records.assessmentyear) > 4 as integer) is not distinct from parts.part
        and parts.is_in_scope

union all

select
    source_id,
    'state/co_cmas' as feed,
    'standard_error' as column_name,
    file_id,
    record_number,
    assessment_id as record_key,
    cast(null as decimal(18, 6)) as source_number,
    standard_error as processed_number
from {{ ref('fct_cmas_result') }}
where is_active
union all

select
    files.source_id,
    'state/in_ilearn' as feed,
    'category_1_percent' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records."Reporting Category 1 Percent Correct" as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            "Reporting Category 1 Percent Correct", '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as "Reporting Category 1 Percent Correct"
    from {{ source('raw_state', 'in_ilearn') }}
) as records
inner join files on records.file_id = files.file_id

union all

select
    source_id,
    'state/in_ilearn' as feed,
    'category_1_percent' as column_name,
    file_id,
    record_number,
    replace(student_state_id, '|', '||') || ' | ' || replace(test_name, '|', '||') as record_key,
    cast(null as decimal(18, 6)) as source_number,
    category_1_percent as processed_number
from {{ ref('fct_ilearn_result') }}
where is_active
union all

select
    files.source_id,
    'state/in_ilearn' as feed,
    'category_2_percent' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records."Reporting Category 2 Percent Correct" as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            "Reporting Category 2 Percent Correct", '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as "Reporting Category 2 Percent Correct"
    from {{ source('raw_state', 'in_ilearn') }}
) as records
inner join files on records.file_id = files.file_id

union all

select
    source_id,
    'state/in_ilearn' as feed,
    'category_2_percent' as column_name,
    file_id,
    record_number,
    replace(student_state_id, '|', '||') || ' | ' || replace(test_name, '|', '||') as record_key,
    cast(null as decimal(18, 6)) as source_number,
    category_2_percent as processed_number
from {{ ref('fct_ilearn_result') }}
where is_active
union all

select
    files.source_id,
    'state/in_ilearn' as feed,
    'category_3_percent' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records."Reporting Category 3 Percent Correct" as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            "Reporting Category 3 Percent Correct", '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as "Reporting Category 3 Percent Correct"
    from {{ source('raw_state', 'in_ilearn') }}
) as records
inner join files on records.file_id = files.file_id

union all

select
    source_id,
    'state/in_ilearn' as feed,
    'category_3_percent' as column_name,
    file_id,
    record_number,
    replace(student_state_id, '|', '||') || ' | ' || replace(test_name, '|', '||') as record_key,
    cast(null as decimal(18, 6)) as source_number,
    category_3_percent as processed_number
from {{ ref('fct_ilearn_result') }}
where is_active
{% endif %}

{% if own_feeds() %}
union all

select * from {{ ref('int_compared_own_numbers') }}
{% endif %}

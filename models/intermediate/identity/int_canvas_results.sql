-- One row per student, outcome, piece of work and question in Canvas: its last attempt, whichever report has it.
{{ config(materialized='ephemeral', enabled=is_used('canvas')) }}

with outcome_results as (
    select
        *,
        'canvas/outcome_results' as feed,
        if(assessment_type = 'assignment', assessment_id, assessment_type || ' ' || assessment_id) as known_work_id
    from {{ ref('fct_canvas_outcome_result') }}
),

competencies as (
    select
        *,
        'canvas/student_competency' as feed,
        competency_id as result_id,
        competency_key as result_key,
        assignment_id as known_work_id
    from {{ ref('fct_canvas_competency') }}
    where outcome_score is not null or rating is not null or mastered_code is not null
),

-- The address of an assignment tells that a quiz of one report is the assignment of the other.
results as (
    select
        *,
        coalesce(nullif(regexp_extract(assignment_url, '/assignments/([0-9]+)', 1), ''), known_work_id) as work_id
    from outcome_results
    union all by name
    select
        *,
        known_work_id as work_id
    from competencies
),

-- What both reports say counts once, as Outcome Results has it; of its questions those of the last attempt.
of_last_attempt as (
    select * from results
    qualify rank() over (
        partition by source_id, student_id, outcome_id, work_id
        order by is_active desc, attempt desc nulls last, feed asc, question_id is null desc
    ) = 1
),

-- A student with several logins has a record for each.
of_one_login as (
    select * from of_last_attempt
    qualify row_number() over (
        partition by source_id, student_id, outcome_id, work_id, question_id
        order by version_at desc, exported_at desc, student_sis_id asc nulls last, result_key asc
    ) = 1
)

select * from of_one_login

-- One row per student, outcome and piece of work in Canvas, and one per student and score of a gradebook.
{{ config(materialized='ephemeral', enabled=is_used('canvas')) }}

with id_columns as (
    {{ id_columns() }}
),

-- Questions of one piece of work are one result: their mean.
outcomes as (
    select
        *,
        'Canvas outcome' as assessment,
        outcome_id as part,
        avg(outcome_score) over work as score,
        'outcome points' as scale,
        100 * (
            sum(outcome_score) over work
            / nullif(sum(points_possible) filter (where outcome_score is not null) over work, 0)
        ) as percent,
        -- What Canvas says of a question is not said of the work.
        case
            when rating is not null then rating
            when question_id is not null then null
            when mastered_code = '1' then 'mastered'
            when mastered_code = '0' then 'not_mastered'
        end as level,
        if(rating is null, 'mastered', 'rating') as level_scale,
        'valid' as validity
    from {{ ref('int_canvas_results') }}
    window work as (partition by source_id, student_id, outcome_id, work_id)
    qualify row_number() over (
        partition by source_id, student_id, outcome_id, work_id order by question_id asc nulls first
    ) = 1
),

scores as (
    select
        *,
        'canvas/gradebook' as feed,
        score_id as result_id,
        score_key as result_key,
        'Canvas assignment' as assessment,
        assignment_id as part,
        'points' as scale,
        100 * (score / nullif(points_possible, 0)) as percent,
        if(status = 'excused', 'excused', 'valid') as validity
    from {{ ref('fct_canvas_score') }}
    where status in ('scored', 'excused')
),

results as (
    select * from outcomes
    union all by name
    select * from scores
),

identified as (
    select
        results.*,
        cast(null as integer) as data_year,
        contains(results.student_name, ',') as is_family_name_first,
        {{ declared_ids({
            'student sis id': 'results.student_sis_id',
            'student id': 'results.student_id',
            'SIS User ID': 'results.student_sis_id',
            'ID': 'results.student_id',
            'SIS Login ID': 'results.student_login',
        }) }} as student_ids
    from results
    left join id_columns using (source_id, feed)
)

select
    {{ assessment_columns('identified') }},
    case when identified.is_family_name_first then split_part(identified.student_name, ',', 1) end as family_name,
    case when identified.is_family_name_first then split_part(identified.student_name, ',', 2) end as given_name,
    identified.result_id,
    identified.result_key,
    identified.assessment,
    cast(null as varchar) as subject,
    cast(null as varchar) as term,
    identified.part,
    identified.score,
    identified.scale,
    identified.percent,
    identified.level,
    identified.level_scale,
    identified.validity,
    identified.result_hash,
    identified.flag_hash
from identified

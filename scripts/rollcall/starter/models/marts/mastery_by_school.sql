-- One row per school and objective: how many students have mastered it.
with enrolled as (
    select distinct
        student_key,
        org_key
    from {{ ref('fct_enrollment') }}
    where is_active and role = 'student'
),

mastery as (
    select * from {{ ref('fct_mastery') }}
),

final as (
    select
        enrolled.org_key,
        mastery.objective_id,
        count(*) as student_count,
        count(*) filter (mastery.is_completed) as mastered_count
    from enrolled
    inner join mastery using (student_key)
    group by enrolled.org_key, mastery.objective_id
)

select * from final

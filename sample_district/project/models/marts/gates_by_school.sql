-- One row per school, path and step: how many students stand where.
with enrolled as (
    select distinct
        student_key,
        org_key
    from {{ ref('fct_enrollment') }}
    where is_active and role = 'student'
),

gates as (
    select * from {{ ref('fct_progression') }}
),

final as (
    select
        enrolled.org_key,
        gates.path_id,
        gates.step_number,
        count(*) filter (gates.gate = 'locked') as locked_count,
        count(*) filter (gates.gate = 'available') as available_count,
        count(*) filter (gates.gate = 'completed') as completed_count
    from enrolled
    inner join gates using (student_key)
    group by enrolled.org_key, gates.path_id, gates.step_number
)

select * from final

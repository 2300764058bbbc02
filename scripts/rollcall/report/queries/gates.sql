select
    listed.student_id,
    listed.path_id as path,
    listed.step_number as step,
    listed.objective_id,
    listed.gate,
    array_to_string(listed.blocked_by, ', ') as blocked_by,
    listed.since,
    people.name,
    listed.roster_source_id
from good.progression.fct_progression as listed
left join good.core.dim_user as people
    on listed.student_key = people.user_key
order by listed.student_id, path, step, listed.objective_id, listed.roster_source_id

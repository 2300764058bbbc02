select
    listed.student_id,
    listed.path_id as path,
    listed.step_number as step,
    listed.objective_id,
    listed.gate,
    array_to_string(listed.blocked_by, ', ') as blocked_by,
    listed.since,
    people.name,
    listed.source_id
from good.progression.fct_progression as listed
left join good.core.dim_user as people
    on listed.source_id = people.source_id and listed.student_id = people.user_id
order by listed.student_id, path, step, listed.objective_id, listed.source_id

select
    listed.cycle_id as cycle,
    listed.student_id,
    listed.objective_id,
    replace(listed.before_value, '_', ' ') as before,
    replace(listed.after_value, '_', ' ') as after,
    listed.reason,
    people.name,
    listed.roster_source_id
from good.progression.fct_checkpoint as listed
left join good.core.dim_user as people
    on listed.student_key = people.user_key
where listed.field = 'state'
order by
    cycle desc,
    listed.student_id asc,
    listed.objective_id asc,
    listed.roster_source_id asc,
    listed.reason asc,
    after asc

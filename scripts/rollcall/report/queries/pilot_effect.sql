select
    source_id as source,
    outcome,
    objective_id as objective,
    path_id as path,
    step_number as step,
    value_now as is_now,
    value_with_pilot as would_be,
    student_count as students,
    cycle_id as built_in_cycle
from audit_pilot_effect
order by
    source asc, outcome desc, objective asc, path asc nulls first, step asc nulls first, is_now asc, would_be asc

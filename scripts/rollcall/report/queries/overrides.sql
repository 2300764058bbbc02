select
    override_id as override,
    student_id,
    objective_id,
    action,
    replace(state, '_', ' ') as state,
    teacher_id as teacher,
    effective_at as decided,
    is_current as current,
    array_to_string(findings, ', ') as findings,
    source_id
from good.audit.audit_override
order by effective_at desc, override_id asc, source_id asc

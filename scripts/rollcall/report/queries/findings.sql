select
    cycle_id as cycle,
    code,
    severity,
    detail,
    advice,
    source_id as source,
    delivery_name as delivery,
    file_name as file,
    file_id
from good.audit.audit_finding
order by cycle desc, source asc, delivery asc, file asc, code asc, detail asc, file_id asc

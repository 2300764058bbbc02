select
    cycle_id as cycle,
    code,
    source_id as source,
    delivery_name as delivery,
    file_name as file,
    line_number as line,
    record_number as record,
    record_key as id,
    column_name,
    verdict,
    message,
    advice,
    file_id
from good.audit.audit_rejected_record
order by cycle desc, source asc, delivery asc, file asc, record asc, code asc, column_name asc, file_id asc

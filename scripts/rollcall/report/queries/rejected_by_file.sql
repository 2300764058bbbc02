select
    code,
    cycle_id as cycle,
    source_id as source,
    delivery_name as delivery,
    file_name as file,
    count(distinct record_number) as records,
    min(line_number) as first_line,
    string_agg(distinct column_name, ', ' order by column_name) as columns,
    file_id
from good.audit.audit_rejected_record
group by all
order by cycle desc, source asc, delivery asc, file asc, code asc, file_id asc

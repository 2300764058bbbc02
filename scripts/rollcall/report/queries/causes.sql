select
    rejected.code,
    codes.summary as cause,
    codes.severity,
    count(distinct row(rejected.file_id, rejected.record_number)) as records,
    count(distinct rejected.file_id) as files,
    max(rejected.cycle_id) as cycle,
    codes.explanation,
    codes.advice
from good.audit.audit_rejected_record as rejected
inner join good.reference.error_codes as codes using (code)
group by all
order by records desc, rejected.code asc

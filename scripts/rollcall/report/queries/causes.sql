select
    refused.code,
    codes.summary as cause,
    codes.severity,
    count(distinct row(refused.file_id, refused.record_number)) as records,
    count(distinct refused.file_id) as files,
    max(refused.cycle_id) as cycle,
    codes.explanation,
    codes.advice
from good.audit.audit_rejected_record as refused
inner join good.reference.error_codes as codes using (code)
group by all
order by records desc, refused.code asc

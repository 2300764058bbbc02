select
    rejected.cycle,
    rejected.code,
    codes.summary as cause,
    count(distinct row(rejected.file_id, rejected.record)) as records,
    codes.advice as what_to_tell_the_vendor
from listing_rejected as rejected
inner join good.reference.error_codes as codes using (code)
group by all
order by rejected.cycle desc, records desc, rejected.code asc

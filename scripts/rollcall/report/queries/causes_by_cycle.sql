select
    refused.cycle,
    refused.code,
    codes.summary as cause,
    count(distinct row(refused.file_id, refused.record)) as records,
    codes.advice as what_to_tell_the_vendor
from listing_refused as refused
inner join good.reference.error_codes as codes using (code)
group by all
order by refused.cycle desc, records desc, refused.code asc

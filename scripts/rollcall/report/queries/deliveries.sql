select
    cycle,
    source,
    delivery,
    exported_at,
    count(*) as files,
    count(*) filter (verdict not in ('accepted', 'accepted, removals held'))
        as files_not_taken,
    sum(records)::bigint as records,
    sum(malformed)::bigint as malformed,
    sum(rejected)::bigint as rejected,
    sum(duplicates)::bigint as duplicates,
    sum(accepted)::bigint as accepted
from listing_files
group by all
order by cycle desc, exported_at asc, source asc, delivery asc

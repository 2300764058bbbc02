-- The sums of source and marts differ by no more than the differences that were found.
select
    source_id,
    feed,
    column_name,
    feed || ': the sum of ' || column_name || ' over the newest exports of ' || source_id
    || ' and over the marts differ by more than the differences that were found.' as mend
from {{ ref('recon_column_sum') }}
where not is_equal

-- Finds: numbers whose sums over newest files and marts differ by more than the differences that were found.
-- Matters: the comparison of records has missed something; the sums are a witness of their own.
-- Do: compare that feed of the source with the mart by hand, then correct scripts/rollcall/comparison/.
select
    source_id,
    feed,
    column_name,
    feed || ': the sum of ' || column_name || ' over the newest files of ' || source_id
    || ' and over the marts differ by more than the differences that were found.' as remedy
from {{ ref('recon_column_sum') }}
where not is_equal

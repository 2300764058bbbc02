with unexplained as (
    select feed from $pilot.recon_missing_record
    where not is_explained
    union all
    select feed from $pilot.recon_unexpected_record
    where not is_explained
    union all
    select feed from $pilot.recon_diverging_value
    where not is_explained
    union all
    select feed from $pilot.recon_column_sum
    where not is_equal
    union all
    select feed from $pilot.recon_file_balance
    where not is_balanced
)

select count(*) as value
from unexplained

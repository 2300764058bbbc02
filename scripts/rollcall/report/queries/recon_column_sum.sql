select
    source_id as source,
    feed,
    column_name,
    source_sum as sum_in_the_exports,
    differing_source_sum as of_it_in_records_that_differ,
    processed_sum as sum_in_the_warehouse,
    differing_processed_sum as of_it_in_rows_that_differ,
    is_equal as agree
from good.reconciliation.recon_column_sum
order by is_equal, source, feed, column_name

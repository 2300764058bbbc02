select
    first_cycle_id as cycle,
    source_id as source,
    delivery_name as delivery,
    file_name as file,
    record_count as records,
    structural_count as structural,
    malformed_count as malformed,
    rejected_count as rejected,
    duplicate_count as duplicates,
    accepted_count as accepted,
    is_balanced as adds_up,
    file_id
from good.reconciliation.recon_file_balance
order by is_balanced asc, first_cycle_id desc nulls first, source asc, delivery asc, file asc, file_id asc

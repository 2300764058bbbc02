select
    coalesce(
        100.0 * sum(lost_count) filter (where step = 'linked' and reason is not null)
        / nullif(sum(record_count) filter (where step = 'valid' and reason is null), 0),
        0
    ) as value
from $pilot.recon_coverage

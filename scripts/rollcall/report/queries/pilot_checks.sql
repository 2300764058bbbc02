with newest as (
    select
        source_id,
        max(job_id) as job_id
    from landing.promotion_checks
    group by source_id
)

select
    checks.source_id as source,
    checks.checked_at,
    checks.criterion,
    checks.value as is_now,
    concat_ws(' ', replace(checks.comparison, '_', ' '), printf('%g', checks.limit_value)) as must_be,
    if(checks.has_passed, 'holds', 'fails') as verdict,
    checks.detail as said_by_people
from landing.promotion_checks as checks
inner join newest on checks.job_id = newest.job_id
order by
    source asc, verdict asc, checks.criterion asc

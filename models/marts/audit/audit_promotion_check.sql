-- One row per check of a pilot and criterion: what it came to, what it had to be, and the query that says so.
with current_cycle as (
    select * from {{ ref('stg_landing__cycles') }}
    where is_current
)

select
    checks.job_id,
    checks.checked_at,
    checks.source_id,
    checks.criterion,
    checks.value,
    checks.comparison,
    checks.limit_value,
    checks.has_passed,
    checks.detail,
    checks.query,
    checks.checked_by
from {{ source('landing', 'promotion_checks') }} as checks
inner join current_cycle on checks.job_id <= current_cycle.job_id

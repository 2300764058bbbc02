-- One row per export of a pilot that was due: whether every due feed was there when it was.
{{ config(enabled=pilot() is not none) }}

select
    expected_at,
    max(due_at) as due_at,
    min(cycle_id) as due_by_cycle_id,
    count(distinct feed) as feed_count,
    -- An earlier export that the same cycle missed counts against it, too.
    bool_and(status = 'on_time' and missed_count = 0) as is_on_time
from {{ ref('int_export_schedule') }}
group by expected_at

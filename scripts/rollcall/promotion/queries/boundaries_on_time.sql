with boundaries as (
    select
        expected_at,
        bool_and(is_on_time) over (order by expected_at desc) as is_in_row
    from $pilot.audit_pilot_boundary
    where expected_at >= $since
)

select count(*) as value
from boundaries
where is_in_row

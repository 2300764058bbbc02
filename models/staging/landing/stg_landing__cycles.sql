-- One row per cycle: its number, its cut-off, and whether it is the current one.
with cycles as (
    select * from {{ source('landing', 'cycles') }}
    where status <> 'skipped'
),

final as (
    select
        cycle_id,
        cutoff_at as as_of,
        cycle_id = max(cycle_id) over () as is_current,
        job_id,
        lag(job_id, 1, 0) over (order by cycle_id) as previous_job_id,
        lag(cutoff_at) over (order by cycle_id) as previous_as_of,
        code_version
    from cycles
)

select * from final

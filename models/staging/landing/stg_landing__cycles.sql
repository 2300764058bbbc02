-- One row per cycle: its number and its cut-off.
with cycles as (
    select * from {{ source('landing', 'cycles') }}
),

final as (
    select
        cycle_id,
        cutoff_at
    from cycles
)

select * from final

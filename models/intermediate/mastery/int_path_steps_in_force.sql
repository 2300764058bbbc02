-- One row per path and step that is in force at the newest cut-off.
with paths as (
    select * from {{ ref('learning_paths') }}
),

bounds as (
    select * from {{ ref('int_cycle_bounded') }}
),

final as (
    select paths.*
    from paths
    inner join bounds
        on
            paths.effective_from <= bounds.as_of
            and (paths.effective_to > bounds.as_of or paths.effective_to is null)
)

select * from final

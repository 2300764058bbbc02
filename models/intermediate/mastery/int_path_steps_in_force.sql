-- One row per path and step that is in force at the newest cut-off.
with paths as (
    select * from {{ ref('learning_paths') }}
),

bounds as (
    select * from {{ ref('int_cycle_bounded') }}
),

final as (
    select
        paths.path_id,
        paths.path_version,
        paths.course_id,
        paths.step_number,
        paths.objective_id,
        paths.is_optional,
        paths.prerequisites,
        paths.prerequisite_rule,
        paths.effective_from,
        paths.effective_to,
        paths.note
    from paths
    inner join bounds
        on
            paths.effective_from <= bounds.as_of
            and (paths.effective_to > bounds.as_of or paths.effective_to is null)
)

select * from final

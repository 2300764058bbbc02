-- One row per path and step that is in force at the newest cut-off, with the objectives it waits for.
with paths as (
    select * from {{ ref('learning_paths') }}
),

bounds as (
    select * from {{ ref('int_cycle_bounded') }}
),

in_force as (
    select paths.*
    from paths
    inner join bounds
        on
            paths.effective_from <= bounds.as_of
            and (paths.effective_to > bounds.as_of or paths.effective_to is null)
),

prerequisites as (
    select
        path_id,
        step_number,
        cast(unnest(string_split(prerequisites, '|')) as integer) as needed_step_number
    from in_force
    where prerequisites is not null
),

needed as (
    select
        prerequisites.path_id,
        prerequisites.step_number,
        array_agg(in_force.objective_id order by in_force.step_number) as objective_ids,
        array_agg(in_force.objective_id order by in_force.step_number) filter (not in_force.is_optional)
            as required_objective_ids
    from prerequisites
    inner join in_force
        on
            prerequisites.path_id = in_force.path_id
            and prerequisites.needed_step_number = in_force.step_number
    group by prerequisites.path_id, prerequisites.step_number
),

final as (
    select
        in_force.path_id,
        in_force.path_version,
        in_force.course_id,
        in_force.step_number,
        in_force.objective_id,
        in_force.is_optional,
        in_force.prerequisites,
        in_force.prerequisite_rule,
        coalesce(needed.objective_ids, []) as needed_objective_ids,
        coalesce(needed.required_objective_ids, []) as required_objective_ids,
        in_force.effective_from,
        in_force.effective_to,
        in_force.note
    from in_force
    left join needed using (path_id, step_number)
)

select * from final

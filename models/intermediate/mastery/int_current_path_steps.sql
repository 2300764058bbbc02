-- One row per path and step that is effective at the cut-off, with the objectives it waits for.
with paths as (
    {{ with_effective_times(ref('learning_paths')) }}
),

current_cycle as (
    select * from {{ ref('stg_landing__cycles') }}
    where is_current
),

current_steps as (
    select paths.*
    from paths
    inner join current_cycle
        on
            paths.effective_from <= current_cycle.as_of
            and (paths.effective_to > current_cycle.as_of or paths.effective_to is null)
),

prerequisites as (
    select
        path_id,
        step_number,
        try_cast(unnest(string_split(prerequisites, '|')) as integer) as needed_step_number
    from current_steps
    where prerequisites is not null
),

needed as (
    select
        prerequisites.path_id,
        prerequisites.step_number,
        array_agg(needed_steps.objective_id order by needed_steps.step_number) as objective_ids,
        array_agg(needed_steps.objective_id order by needed_steps.step_number) filter (
            where not needed_steps.is_optional
        ) as required_objective_ids
    from prerequisites
    inner join current_steps as needed_steps
        on
            prerequisites.path_id = needed_steps.path_id
            and prerequisites.needed_step_number = needed_steps.step_number
    group by prerequisites.path_id, prerequisites.step_number
),

final as (
    select
        current_steps.*,
        coalesce(needed.objective_ids, []) as needed_objective_ids,
        coalesce(needed.required_objective_ids, []) as required_objective_ids
    from current_steps
    left join needed using (path_id, step_number)
)

select * from final

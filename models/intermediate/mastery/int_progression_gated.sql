-- One row per student, path and step: locked, available or completed, and what blocks.
with steps as (
    select * from {{ ref('int_path_steps_in_force') }}
),

prerequisites as (
    select
        path_id,
        step_number,
        cast(unnest(string_split(prerequisites, '|')) as integer) as needed_step_number
    from steps
    where prerequisites is not null
),

walkers as (
    select * from {{ ref('int_paths_walked') }}
),

mastery as (
    select * from {{ ref('int_mastery_overridden') }}
),

states as (
    select
        walkers.roster_source_id,
        walkers.student_id,
        steps.*,
        coalesce(mastery.is_completed, false) as is_completed
    from walkers
    inner join steps using (path_id)
    left join mastery
        on
            walkers.roster_source_id = mastery.roster_source_id
            and walkers.student_id = mastery.student_id
            and steps.objective_id = mastery.objective_id
),

needed as (
    select
        needed_states.roster_source_id,
        needed_states.student_id,
        prerequisites.path_id,
        prerequisites.step_number,
        count(*) filter (needed_states.is_completed) as completed_count,
        count(*) filter (not needed_states.is_completed and not needed_states.is_optional) as blocking_count,
        array_agg(needed_states.objective_id order by needed_states.step_number) filter (
            not needed_states.is_completed
        ) as open_objective_ids
    from prerequisites
    inner join states as needed_states
        on
            prerequisites.path_id = needed_states.path_id
            and prerequisites.needed_step_number = needed_states.step_number
    group by
        needed_states.roster_source_id,
        needed_states.student_id,
        prerequisites.path_id,
        prerequisites.step_number
),

gated as (
    select
        states.*,
        needed.open_objective_ids,
        case
            when states.is_completed then 'completed'
            when needed.step_number is null then 'available'
            when states.prerequisite_rule = 'all' and needed.blocking_count = 0 then 'available'
            when states.prerequisite_rule = 'any' and needed.completed_count >= 1 then 'available'
            when needed.completed_count >= try_cast(states.prerequisite_rule as integer) then 'available'
            else 'locked'
        end as gate
    from states
    left join needed using (roster_source_id, student_id, path_id, step_number)
),

final as (
    select
        roster_source_id,
        student_id,
        path_id,
        path_version,
        step_number,
        objective_id,
        is_optional,
        gate,
        case when gate = 'locked' then open_objective_ids else [] end as blocked_by
    from gated
)

select * from final

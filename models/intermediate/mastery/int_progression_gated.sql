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

needed as (
    select
        prerequisites.path_id,
        prerequisites.step_number,
        array_agg(steps.objective_id order by steps.step_number) as objective_ids,
        array_agg(steps.objective_id order by steps.step_number) filter (not steps.is_optional)
            as required_objective_ids
    from prerequisites
    inner join steps
        on
            prerequisites.path_id = steps.path_id
            and prerequisites.needed_step_number = steps.step_number
    group by prerequisites.path_id, prerequisites.step_number
),

walkers as (
    select * from {{ ref('int_paths_walked') }}
),

mastered as (
    select
        roster_source_id,
        student_id,
        array_agg(objective_id order by objective_id) as objective_ids
    from {{ ref('int_mastery_overridden') }}
    where is_completed
    group by roster_source_id, student_id
),

walked as (
    select
        walkers.roster_source_id,
        walkers.student_id,
        steps.*,
        coalesce(needed.objective_ids, []) as needed_objective_ids,
        coalesce(needed.required_objective_ids, []) as required_objective_ids,
        coalesce(mastered.objective_ids, []) as mastered_objective_ids
    from walkers
    inner join steps using (path_id)
    left join needed using (path_id, step_number)
    left join mastered using (roster_source_id, student_id)
),

met as (
    select
        *,
        list_contains(mastered_objective_ids, objective_id) as is_completed,
        {{ items_where(
            "case when prerequisite_rule = 'all' then required_objective_ids else needed_objective_ids end",
            'not list_contains(mastered_objective_ids, item)'
        ) }} as open_objective_ids
    from walked
),

gated as (
    select
        *,
        case
            when is_completed then 'completed'
            when len(open_objective_ids) = 0 then 'available'
            when prerequisite_rule = 'all' then 'locked'
            when
                len(needed_objective_ids) - len(open_objective_ids)
                >= case when prerequisite_rule = 'any' then 1 else try_cast(prerequisite_rule as integer) end
                then 'available'
            else 'locked'
        end as gate
    from met
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

-- One row per student, path and step: locked, available or completed, and what blocks.
{{ config(
    materialized='incremental',
    pre_hook="{{ forget_outdated(this, ref('int_walk_inputs')) }}",
) }}

with steps as (
    select * from {{ ref('int_path_steps_in_force') }}
),

walkers as (
    select * from {{ ref('int_walk_inputs') }}
    {% if is_incremental() %}
        anti join {{ this }} using (inputs_fingerprint)
    {% endif %}
),

mastered as (
    select
        roster_source_id,
        student_id,
        array_agg(objective_id order by objective_id) as objective_ids
    from {{ ref('int_mastery_overridden') }}
    where
        is_completed
        and (roster_source_id, student_id) in (
            select
                walkers.roster_source_id,
                walkers.student_id
            from walkers
        )
    group by roster_source_id, student_id
),

walked as (
    select
        walkers.roster_source_id,
        walkers.student_id,
        walkers.inputs_fingerprint,
        steps.*,
        coalesce(mastered.objective_ids, []) as mastered_objective_ids
    from walkers
    inner join steps using (path_id)
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
        case when gate = 'locked' then open_objective_ids else [] end as blocked_by,
        inputs_fingerprint
    from gated
)

select * from final

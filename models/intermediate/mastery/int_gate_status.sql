-- One row per student, path and step: locked, available or completed, and what blocks.
{{ add_where_inputs_changed('int_path_enrollments') }}

with steps as (
    select * from {{ ref('int_current_path_steps') }}
),

path_enrollments as (
    {{ changed_inputs(ref('int_path_enrollments')) }}
),

mastered as (
    select
        student_key,
        array_agg(objective_id order by objective_id) as objective_ids
    from {{ ref('int_mastery_status') }}
    where is_completed and student_key in (select path_enrollments.student_key from path_enrollments)
    group by student_key
),

with_mastery as (
    select
        path_enrollments.student_key,
        path_enrollments.roster_source_id,
        path_enrollments.student_id,
        path_enrollments.inputs_fingerprint,
        steps.*,
        coalesce(mastered.objective_ids, []) as mastered_objective_ids
    from path_enrollments
    inner join steps using (path_id)
    left join mastered using (student_key)
),

met as (
    select
        *,
        list_contains(mastered_objective_ids, objective_id) as is_completed,
        list_filter(
            case when prerequisite_rule = 'all' then required_objective_ids else needed_objective_ids end,
            lambda item: not list_contains(mastered_objective_ids, item)
        ) as open_objective_ids
    from with_mastery
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
        student_key,
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

-- One row per student, path, step and cut-off at which what was recorded changed: before and after.
{{ config(materialized='view') }}

with recorded as (
    {{ recorded(ref('snap_progression_step'), ref('int_progression_hashed')) }}
),

closed as (
    select * from recorded
    where dbt_valid_to is not null
),

final as (
    select
        coalesce(after.dbt_valid_from, before.dbt_valid_to) as changed_at,
        coalesce(after.roster_source_id, before.roster_source_id) as roster_source_id,
        coalesce(after.student_id, before.student_id) as student_id,
        coalesce(after.objective_id, before.objective_id) as objective_id,
        coalesce(after.path_id, before.path_id) as path_id,
        coalesce(after.step_number, before.step_number) as step_number,
        before.gate as gate_before,
        after.gate as gate_after,
        case
            when before.gate is null then 'enrolled on the path'
            when after.gate is null then 'no longer on the path'
            when before.path_version <> after.path_version
                then 'path ' || after.path_id || ' version ' || after.path_version
            when after.gate = 'completed' then 'objective mastered'
            when before.gate = 'completed' then 'mastery lost'
            when after.gate = 'locked' then 'blocked by ' || array_to_string(after.blocked_by, ', ')
            else 'prerequisites met'
        end as reason
    from closed as before
    full join recorded as after
        on
            before.roster_source_id = after.roster_source_id
            and before.student_id = after.student_id
            and before.path_id = after.path_id
            and before.step_number = after.step_number
            and before.dbt_valid_to = after.dbt_valid_from
)

select * from final

-- One row per student, path, step and interval of cycles in which the gate stood the same.
with recorded as (
    {{ recorded(ref('snap_progression_step'), ref('int_progression_hashed')) }}
),

final as (
    select
        roster_source_id as source_id,
        student_id,
        path_id,
        path_version,
        step_number,
        objective_id,
        is_optional,
        gate,
        blocked_by,
        dbt_valid_from as valid_from,
        dbt_valid_to as valid_to
    from recorded
)

select * from final

-- One row per student, path, step and interval of cycles in which the gate stood the same.
with recorded as (
    select * from {{ ref('snap_gate_status') }}
),

students as (
    select user_key from {{ with_live('dim_user') }}
),

final as (
    select
        recorded.student_key,
        recorded.roster_source_id,
        recorded.student_id,
        recorded.path_id,
        recorded.path_version,
        recorded.step_number,
        recorded.objective_id,
        recorded.is_optional,
        recorded.gate,
        recorded.blocked_by,
        recorded.dbt_valid_from as valid_from,
        recorded.dbt_valid_to as valid_to,
        case when students.user_key is null then ['student_id'] else [] end as unresolved
    from recorded
    left join students on recorded.student_key = students.user_key
)

select * from final

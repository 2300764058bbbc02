-- One row per student, objective and interval of cycles in which every step decided the same.
with recorded as (
    select * from {{ ref('snap_mastery') }}
),

students as (
    select user_key from {{ with_live('dim_user') }}
),

final as (
    select
        recorded.student_key,
        recorded.roster_source_id,
        recorded.student_id,
        recorded.objective_id,
        recorded.state,
        recorded.is_completed,
        recorded.automatic_state,
        recorded.basis,
        recorded.score_percent,
        recorded.threshold_percent,
        recorded.method,
        recorded.rule_id,
        recorded.rule_version,
        recorded.evidence_count,
        recorded.last_evidence_at,
        recorded.is_override,
        recorded.override_id,
        recorded.override_reason,
        recorded.dbt_valid_from as valid_from,
        recorded.dbt_valid_to as valid_to,
        case when students.user_key is null then ['student_id'] else [] end as unresolved
    from recorded
    left join students on recorded.student_key = students.user_key
)

select * from final

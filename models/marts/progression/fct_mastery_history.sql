-- One row per student, objective and interval of cycles in which every step decided the same.
with recorded as (
    {{ recorded(ref('snap_mastery'), ref('int_mastery_hashed')) }}
),

final as (
    select
        roster_source_id as source_id,
        student_id,
        objective_id,
        state,
        is_completed,
        automatic_state,
        basis,
        score_percent,
        threshold_percent,
        method,
        rule_id,
        rule_version,
        evidence_count,
        last_evidence_at,
        is_override,
        override_id,
        override_reason,
        dbt_valid_from as valid_from,
        dbt_valid_to as valid_to
    from recorded
)

select * from final

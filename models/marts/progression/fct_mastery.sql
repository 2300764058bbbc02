-- One row per student and objective: the state that stands, what it rests on, and as of when.
with mastery as (
    select * from {{ ref('int_mastery_overridden') }}
),

recorded as (
    {{ recorded(ref('snap_mastery'), ref('int_mastery_hashed')) }}
),

students as (
    select * from {{ ref('dim_user') }}
),

bounds as (
    select * from {{ ref('int_cycle_bounded') }}
),

final as (
    select
        mastery.roster_source_id as source_id,
        mastery.student_id,
        mastery.objective_id,
        mastery.state,
        mastery.is_completed,
        mastery.automatic_state,
        mastery.basis,
        mastery.score_percent,
        mastery.threshold_percent,
        mastery.method,
        mastery.rule_id,
        mastery.rule_version,
        mastery.evidence_count,
        mastery.ignored_count,
        mastery.withdrawn_count,
        mastery.expired_count,
        mastery.last_evidence_at,
        mastery.evidence_visible_at,
        mastery.is_override,
        mastery.override_id,
        mastery.override_teacher_id,
        mastery.override_reason,
        mastery.override_effective_at,
        mastery.override_visible_at,
        coalesce(students.is_active, false) as is_on_roster,
        recorded.dbt_valid_from as since,
        bounds.is_provisional,
        bounds.missing_feeds,
        bounds.evidence_until,
        bounds.as_of
    from mastery
    cross join bounds
    left join students
        on mastery.roster_source_id = students.source_id and mastery.student_id = students.user_id
    left join recorded
        on
            mastery.roster_source_id = recorded.roster_source_id
            and mastery.student_id = recorded.student_id
            and mastery.objective_id = recorded.objective_id
            and recorded.dbt_valid_to is null
)

select * from final

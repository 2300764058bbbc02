-- One row per student and objective with evidence or a teacher's decision: the state that stands.
{{ config(materialized='view') }}

with graded as (
    select * from {{ ref('int_mastery_graded') }}
),

overrides as (
    select * from {{ ref('int_overrides_in_force') }}
),

final as (
    select
        coalesce(graded.roster_source_id, overrides.roster_source_id) as roster_source_id,
        coalesce(graded.student_id, overrides.student_id) as student_id,
        coalesce(graded.objective_id, overrides.objective_id) as objective_id,
        graded.rule_id,
        graded.rule_version,
        graded.rule_fingerprint,
        graded.method,
        graded.score_percent,
        graded.threshold_percent,
        coalesce(graded.evidence_count, 0) as evidence_count,
        coalesce(graded.expired_count, 0) as expired_count,
        coalesce(graded.withdrawn_count, 0) as withdrawn_count,
        coalesce(graded.ignored_count, 0) as ignored_count,
        graded.last_evidence_at,
        graded.evidence_visible_at,
        coalesce(graded.basis, 'no_evidence') as basis,
        coalesce(graded.automatic_state, 'not_evaluated') as automatic_state,
        coalesce(overrides.state, graded.automatic_state, 'not_evaluated') as state,
        coalesce(overrides.state, graded.automatic_state, '') = 'mastered' as is_completed,
        coalesce(overrides.action = 'set', false) as is_override,
        overrides.action as override_action,
        overrides.source_id as override_source_id,
        overrides.override_id,
        overrides.teacher_id as override_teacher_id,
        overrides.reason as override_reason,
        overrides.effective_at as override_effective_at,
        overrides.visible_at as override_visible_at
    from graded
    full join overrides using (roster_source_id, student_id, objective_id)
)

select * from final

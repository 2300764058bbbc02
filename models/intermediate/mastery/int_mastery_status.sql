-- One row per student and objective with evidence or a teacher's decision: the state that stands.
{{ config(materialized='view') }}

with scored as (
    select * from {{ ref('int_mastery_scored') }}
),

overrides as (
    select * from {{ ref('int_current_overrides') }}
),

judged as (
    select
        *,
        case
            when rule_id is null then 'no_rule'
            when evidence_count = 0 then 'no_evidence'
            when method = 'asserted' and asserted_level is null then 'nothing_asserted'
            when method = 'asserted' and asserted_level = 'mastered' then 'asserted'
            when method <> 'asserted' and coalesce(evidence_count < minimum_evidence, true) then 'too_little'
            when method <> 'asserted' and score_percent is null then 'too_little'
            when method <> 'asserted' and score_percent >= threshold_percent then 'reached'
            when was_ever_mastered then 'kept'
            else 'below'
        end as basis
    from scored
),

automatic as (
    select
        *,
        case
            when basis in ('no_rule', 'no_evidence') then 'not_evaluated'
            when basis in ('nothing_asserted', 'too_little') then 'insufficient_evidence'
            when basis = 'below' then 'not_mastered'
            else 'mastered'
        end as automatic_state
    from judged
),

final as (
    select
        coalesce(automatic.student_key, overrides.student_key) as student_key,
        coalesce(automatic.roster_source_id, overrides.roster_source_id) as roster_source_id,
        coalesce(automatic.student_id, overrides.student_id) as student_id,
        coalesce(automatic.objective_id, overrides.objective_id) as objective_id,
        automatic.rule_id,
        automatic.rule_version,
        automatic.rule_fingerprint,
        automatic.method,
        automatic.score_percent,
        automatic.threshold_percent,
        coalesce(automatic.evidence_count, 0) as evidence_count,
        coalesce(automatic.expired_count, 0) as expired_count,
        coalesce(automatic.withdrawn_count, 0) as withdrawn_count,
        coalesce(automatic.ignored_count, 0) as ignored_count,
        automatic.last_evidence_at,
        automatic.evidence_visible_at,
        coalesce(automatic.basis, 'no_evidence') as basis,
        coalesce(automatic.automatic_state, 'not_evaluated') as automatic_state,
        coalesce(overrides.state, automatic.automatic_state, 'not_evaluated') as state,
        coalesce(overrides.state, automatic.automatic_state, '') = 'mastered' as is_completed,
        coalesce(overrides.action = 'set', false) as is_override,
        overrides.action as override_action,
        overrides.override_id,
        overrides.override_key,
        overrides.teacher_id as override_teacher_id,
        overrides.reason as override_reason,
        overrides.effective_at as override_effective_at,
        overrides.visible_at as override_visible_at
    from automatic
    full join overrides
        on automatic.student_key = overrides.student_key and automatic.objective_id = overrides.objective_id
)

select * from final

-- One row per student and objective: what the steps decided in the newest cycle, as it is recorded.
{{ config(materialized='view') }}

with mastery as (
    select * from {{ ref('int_mastery_overridden') }}
),

bounds as (
    select * from {{ ref('int_cycle_bounded') }}
),

final as (
    select
        {{ content_hash(['mastery.roster_source_id', 'mastery.student_id', 'mastery.objective_id']) }}
            as mastery_key,
        mastery.roster_source_id,
        mastery.student_id,
        mastery.objective_id,
        mastery.rule_id,
        mastery.rule_version,
        mastery.rule_fingerprint,
        mastery.method,
        mastery.evidence_count,
        mastery.expired_count,
        mastery.withdrawn_count,
        mastery.last_evidence_at,
        mastery.score_percent,
        mastery.threshold_percent,
        mastery.basis,
        mastery.automatic_state,
        mastery.override_action,
        mastery.override_id,
        mastery.override_reason,
        mastery.state,
        mastery.is_completed,
        mastery.is_override,
        {{ content_hash([
            'mastery.rule_id', 'mastery.rule_version', 'mastery.rule_fingerprint', 'mastery.method',
            'mastery.evidence_count', 'mastery.expired_count', 'mastery.withdrawn_count', 'mastery.last_evidence_at', 'mastery.score_percent',
            'mastery.threshold_percent', 'mastery.basis', 'mastery.automatic_state', 'mastery.override_action',
            'mastery.override_id', 'mastery.override_reason', 'mastery.state',
        ]) }} as row_hash,
        bounds.as_of
    from mastery
    cross join bounds
)

select * from final

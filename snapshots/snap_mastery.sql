-- One row per student, objective and interval of cycles in which every step decided the same.
{% snapshot snap_mastery %}
{{ config(unique_key='mastery_key') }}
with mastery as (
    select * from {{ ref('int_mastery_status') }}
),

cycles as (
    select * from {{ ref('stg_landing__cycles') }}
    where is_current
)

select
    {{ text_hash(['mastery.student_key', 'mastery.objective_id']) }} as mastery_key,
    mastery.student_key,
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
    {{ text_hash([
        'mastery.rule_id', 'mastery.rule_version', 'mastery.rule_fingerprint', 'mastery.method',
        'mastery.evidence_count', 'mastery.expired_count', 'mastery.withdrawn_count', 'mastery.last_evidence_at',
        'mastery.score_percent', 'mastery.threshold_percent', 'mastery.basis', 'mastery.automatic_state',
        'mastery.override_action', 'mastery.override_id', 'mastery.override_reason', 'mastery.state',
    ]) }} as row_hash,
    cycles.as_of
from mastery
cross join cycles
{% endsnapshot %}

-- One row per student and objective with evidence: the score that the method of the rule in force gives.
-- depends_on: {{ ref('int_cycle_bounded') }}
{{ config(
    materialized='incremental',
    pre_hook="{{ forget_outdated(this, ref('int_student_inputs'), rows_expire=true) }}",
) }}

with gathered as (
    select * from {{ ref('int_evidence_gathered') }}
    {% if is_incremental() %}
        anti join {{ this }} using (inputs_fingerprint)
    {% endif %}
),

rules as (
    select * from {{ ref('int_mastery_rules_in_force') }}
),

ruled as (
    select
        gathered.*,
        rules.rule_id,
        rules.rule_version,
        rules.rule_fingerprint,
        rules.method,
        rules.weight_percent,
        rules.needed_count,
        rules.threshold_percent,
        rules.minimum_evidence,
        rules.rounding_digits,
        rules.can_be_lost
    from gathered
    left join rules using (rule_key)
),

scored as (
    select
        *,
        {{ method_score('percents') }} as exact_percent
    from ruled
),

final as (
    select
        roster_source_id,
        student_id,
        objective_id,
        rule_id,
        rule_version,
        rule_fingerprint,
        method,
        threshold_percent,
        minimum_evidence,
        asserted_states[len(asserted_states)] as asserted_state,
        {{ round_half_up('exact_percent', 'rounding_digits') }} as score_percent,
        case
            when can_be_lost or evidence_count = 0 then false
            when method = 'asserted' then coalesce(list_contains(asserted_states, 'mastered'), false)
            else coalesce({{ holds_for_any_prefix('percents', reaches_threshold('prefix')) }}, false)
        end as was_ever_mastered,
        evidence_count,
        expired_count,
        withdrawn_count,
        ignored_count,
        last_evidence_at,
        evidence_visible_at,
        inputs_fingerprint,
        expires_at
    from scored
)

select * from final

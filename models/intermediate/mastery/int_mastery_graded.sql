-- One row per student and objective with evidence: the state that the threshold of the rule gives the score.
{{ config(materialized='view') }}

with scored as (
    select * from {{ ref('int_mastery_scored') }}
),

judged as (
    select
        *,
        case
            when rule_id is null then 'no_rule'
            when evidence_count = 0 then 'no_evidence'
            when method = 'asserted' and asserted_state is null then 'nothing_asserted'
            when method = 'asserted' and asserted_state = 'mastered' then 'asserted'
            when method <> 'asserted' and coalesce(evidence_count < minimum_evidence, true) then 'too_little'
            when method <> 'asserted' and score_percent is null then 'too_little'
            when method <> 'asserted' and score_percent >= threshold_percent then 'reached'
            when was_ever_mastered then 'kept'
            else 'below'
        end as basis
    from scored
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
        score_percent,
        evidence_count,
        expired_count,
        withdrawn_count,
        ignored_count,
        last_evidence_at,
        evidence_visible_at,
        basis,
        case
            when basis in ('no_rule', 'no_evidence') then 'not_evaluated'
            when basis in ('nothing_asserted', 'too_little') then 'insufficient_evidence'
            when basis = 'below' then 'not_mastered'
            else 'mastered'
        end as automatic_state
    from judged
)

select * from final

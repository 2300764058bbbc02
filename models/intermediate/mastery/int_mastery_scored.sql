-- One row per student and objective with evidence: the score that the method of the rule gives.
{{ add_where_inputs_changed('int_student_inputs', rows_expire=true) }}

with objective_evidence as (
    {{ changed_inputs(ref('int_objective_evidence')) }}
),

rules as (
    select * from {{ ref('int_current_rules') }}
),

ruled as (
    select
        objective_evidence.*,
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
    from objective_evidence
    left join rules using (rule_key)
),

-- The score after each piece of evidence; where mastery can be lost only the last one matters.
scored as (
    select
        *,
        list_transform(
            range(case when can_be_lost then greatest(evidence_count, 1) else 1 end, evidence_count + 1),
            lambda size: {'size': size, 'exact_percent': {{ method_score('percents[:size]') }}}
        ) as exact_scores
    from ruled
),

rounded as (
    select
        *,
        list_transform(
            exact_scores,
            lambda score: {
                'size': score.size, 'percent': {{ round_half_up('score.exact_percent', 'rounding_digits') }}
            }
        ) as scores
    from scored
),

final as (
    select
        student_key,
        roster_source_id,
        student_id,
        objective_id,
        rule_id,
        rule_version,
        rule_fingerprint,
        method,
        threshold_percent,
        minimum_evidence,
        asserted_levels[-1] as asserted_level,
        scores[-1].percent as score_percent,
        case
            when can_be_lost or evidence_count = 0 then false
            when method = 'asserted' then coalesce(list_contains(asserted_levels, 'mastered'), false)
            else coalesce(list_bool_or(list_transform(
                scores, lambda score: score.size >= minimum_evidence and score.percent >= threshold_percent
            )), false)
        end as was_ever_mastered,
        evidence_count,
        expired_count,
        withdrawn_count,
        ignored_count,
        last_evidence_at,
        evidence_visible_at,
        inputs_fingerprint,
        expires_at
    from rounded
)

select * from final

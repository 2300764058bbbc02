-- One row per rule that is in force at the newest cut-off.
with rules as (
    select * from {{ ref('mastery_rules') }}
),

bounds as (
    select * from {{ ref('int_cycle_bounded') }}
),

final as (
    select
        rules.rule_id,
        rules.rule_version,
        rules.scope,
        rules.scope_id,
        rules.method,
        rules.weight_percent,
        rules.needed_count,
        rules.threshold_percent,
        rules.minimum_evidence,
        rules.maximum_age_days,
        rules.rounding_digits,
        rules.can_be_lost,
        rules.effective_from,
        rules.effective_to,
        rules.note,
        rules.rule_id || ' ' || rules.rule_version as rule_key,
        {{ fingerprint([
            'rules.rule_id', 'rules.rule_version', 'rules.scope', 'rules.scope_id', 'rules.method',
            'rules.weight_percent', 'rules.needed_count', 'rules.threshold_percent', 'rules.minimum_evidence',
            'rules.maximum_age_days', 'rules.rounding_digits', 'rules.can_be_lost',
        ]) }} as rule_fingerprint
    from rules
    inner join bounds
        on
            rules.effective_from <= bounds.as_of
            and (rules.effective_to > bounds.as_of or rules.effective_to is null)
)

select * from final

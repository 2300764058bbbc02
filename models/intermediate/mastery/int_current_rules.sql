-- One row per rule that is effective at the cut-off of the current cycle.
with rules as (
    {{ with_effective_times(ref('mastery_rules')) }}
),

current_cycle as (
    select * from {{ ref('stg_landing__cycles') }}
    where is_current
),

final as (
    select
        rules.*,
        rules.rule_id || ' ' || rules.rule_version as rule_key,
        {{ fingerprint([
            'rules.rule_id', 'rules.rule_version', 'rules.scope', 'rules.scope_id', 'rules.method',
            'rules.weight_percent', 'rules.needed_count', 'rules.threshold_percent', 'rules.minimum_evidence',
            'rules.maximum_age_days', 'rules.rounding_digits', 'rules.can_be_lost',
        ]) }} as rule_fingerprint
    from rules
    inner join current_cycle
        on
            rules.effective_from <= current_cycle.as_of
            and (rules.effective_to > current_cycle.as_of or rules.effective_to is null)
)

select * from final

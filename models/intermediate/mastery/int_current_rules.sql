-- One row per rule that is effective at the cut-off of the current cycle.
with rules as (
    {{ with_effective_times(ref('mastery_rules')) }}
),

current_cycle as (
    select * from {{ ref('stg_landing__cycles') }}
    where is_current
),

-- What an asserted level means: by a row of the rule itself, else by one for every rule.
level_states as (
    select
        rules.rule_id,
        rules.rule_version,
        concat_ws('|', levels.source_id, levels.feed, levels.scale, levels.level) as level_key,
        coalesce(max(levels.state) filter (where levels.rule_id is not null), max(levels.state)) as state
    from rules
    inner join {{ ref('level_states') }} as levels on rules.rule_id = levels.rule_id or levels.rule_id is null
    group by all
),

of_rule as (
    select
        rule_id,
        rule_version,
        map_from_entries(array_agg((level_key, state) order by level_key)) as level_states
    from level_states
    group by rule_id, rule_version
),

final as (
    select
        rules.*,
        of_rule.level_states,
        rules.rule_id || ' ' || rules.rule_version as rule_key,
        {{ fingerprint([
            'rules.rule_id', 'rules.rule_version', 'rules.scope', 'rules.scope_id', 'rules.method',
            'rules.weight_percent', 'rules.needed_count', 'rules.threshold_percent', 'rules.minimum_evidence',
            'rules.maximum_age_days', 'rules.rounding_digits', 'rules.can_be_lost',
        ]) }} as own_fingerprint,
        case
            when of_rule.level_states is null then own_fingerprint
            else {{ fingerprint(['own_fingerprint', 'of_rule.level_states']) }}
        end as rule_fingerprint
    from rules
    left join of_rule using (rule_id, rule_version)
    inner join current_cycle
        on
            rules.effective_from <= current_cycle.as_of
            and (rules.effective_to > current_cycle.as_of or rules.effective_to is null)
)

select * exclude (own_fingerprint) from final

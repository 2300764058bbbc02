-- Finds: rows of mastery_rules.csv with a method, scope or number that the evaluation cannot use, and rows for the same
--        scope whose times overlap.
-- Matters: such a rule would leave students without a state or give them a wrong one; of two, chance would choose.
-- Do: correct the row of seeds/rules/mastery_rules.csv that the sentence names.
{{ config(tags=['of_seeds']) }}
with rules as (
    {{ with_effective_times(ref('mastery_rules')) }}
),

unusable as (
    select
        rule_id,
        rule_version,
        case
            when
                method is null or scope is null or threshold_percent is null or minimum_evidence is null
                or rounding_digits is null or can_be_lost is null or effective_from is null
                then 'a column that must be filled is blank'
            when
                method not in (
                    'highest', 'latest', 'average', 'weighted_average',
                    'standard_decaying_average', 'n_mastery', 'asserted'
                )
                then 'there is no method ' || method
            when scope not in ('district', 'org', 'course', 'objective') then 'there is no scope ' || scope
            when (scope = 'district') <> (scope_id is null)
                then 'scope_id is blank for a district and filled for anything else'
            when threshold_percent <= 0 or threshold_percent > 100
                then 'threshold_percent is above 0 and at most 100, not ' || threshold_percent
            when
                method in ('weighted_average', 'standard_decaying_average')
                and coalesce(weight_percent not between 1 and 99, true)
                then 'weight_percent is between 1 and 99'
            when method = 'n_mastery' and coalesce(needed_count < 1, true) then 'needed_count is 1 or more'
            when minimum_evidence < 1 then 'minimum_evidence is 1 or more'
            when maximum_age_days not between 1 and 36525
                then 'maximum_age_days is between 1 and 36525, which is a hundred years'
            when maximum_age_days is not null and not can_be_lost
                then 'a maximum age lets mastery be lost, so can_be_lost is true'
            when rounding_digits not between 0 and 4 then 'rounding_digits is between 0 and 4'
            when effective_to <= effective_from then 'effective_to is after effective_from'
        end as problem
    from rules
),

problems as (
    select
        rule_id,
        rule_version,
        'rule_unusable' as finding,
        problem
    from unusable
    where problem is not null

    union all

    select
        earlier.rule_id,
        earlier.rule_version,
        'rules_overlap' as finding,
        concat(
            'it still applies when rule ', later.rule_id, ' version ', later.rule_version,
            ' begins for the same scope; set its effective_to to ', later.effective_from
        ) as problem
    from rules as earlier
    inner join rules as later
        on
            earlier.scope = later.scope
            and earlier.scope_id is not distinct from later.scope_id
            and (earlier.effective_from, earlier.rule_id, earlier.rule_version)
            < (later.effective_from, later.rule_id, later.rule_version)
            and coalesce(earlier.effective_to > later.effective_from, true)
)

select
    rule_id,
    rule_version,
    finding,
    concat(
        'seeds/rules/mastery_rules.csv, rule ', rule_id, ' version ', rule_version, ': ', problem, '.'
    ) as remedy
from problems

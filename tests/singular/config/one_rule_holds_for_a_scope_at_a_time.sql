-- Finds: two rows of mastery_rules.csv for the same scope whose times overlap.
-- Matters: which of them held would be a matter of chance.
-- Do: give the earlier row of seeds/rules/mastery_rules.csv the effective_to at which the later one begins.
{{ config(tags=['of_seeds']) }}
select
    earlier.rule_id,
    earlier.rule_version,
    concat(
        'seeds/rules/mastery_rules.csv, rule ', earlier.rule_id, ' version ', earlier.rule_version,
        ': it still applies when rule ', later.rule_id, ' version ', later.rule_version,
        ' begins for the same scope; set its effective_to to ', later.effective_from, '.'
    ) as remedy
from {{ ref('mastery_rules') }} as earlier
inner join {{ ref('mastery_rules') }} as later
    on
        earlier.scope = later.scope
        and earlier.scope_id is not distinct from later.scope_id
        and (earlier.effective_from, earlier.rule_id, earlier.rule_version)
        < (later.effective_from, later.rule_id, later.rule_version)
        and coalesce(earlier.effective_to > later.effective_from, true)

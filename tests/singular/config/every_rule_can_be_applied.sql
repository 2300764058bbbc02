-- Finds: rows of mastery_rules.csv with a method, scope or number that the evaluation cannot use.
-- Matters: a rule that cannot be applied would leave students without a state, or give them a wrong one.
-- Do: mend the row of seeds/rules/mastery_rules.csv that the sentence names.
with rules as (
    select * from {{ ref('mastery_rules') }}
),

problems as (
    {% set checks = {
        "method is not one of highest, latest, average, weighted_average, standard_decaying_average, n_mastery, asserted":
            "method not in ('highest', 'latest', 'average', 'weighted_average', 'standard_decaying_average', 'n_mastery', 'asserted')",
        "scope is not one of district, org, course, objective": "scope not in ('district', 'org', 'course', 'objective')",
        "scope_id must be blank for a district and filled for any other scope": "(scope = 'district') <> (scope_id is null)",
        "threshold_percent is not above 0 and at most 100": "not threshold_percent > 0 or threshold_percent > 100",
        "weight_percent is not between 1 and 99":
            "method in ('weighted_average', 'standard_decaying_average') and not weight_percent between 1 and 99",
        "needed_count is not 1 or more": "method = 'n_mastery' and needed_count < 1",
        "minimum_evidence is not 1 or more": "minimum_evidence < 1",
        "maximum_age_days is not 1 or more": "maximum_age_days < 1",
        "maximum_age_days lets mastery be lost, but can_be_lost is false": "maximum_age_days is not null and not can_be_lost",
        "rounding_digits is not between 0 and 4": "not rounding_digits between 0 and 4",
        "effective_to is not after effective_from": "effective_to <= effective_from",
        "method, scope, threshold_percent, minimum_evidence, rounding_digits, can_be_lost or effective_from is blank":
            "method is null or scope is null or threshold_percent is null or minimum_evidence is null"
            ~ " or rounding_digits is null or can_be_lost is null or effective_from is null",
        "weight_percent is blank": "method in ('weighted_average', 'standard_decaying_average') and weight_percent is null",
        "needed_count is blank": "method = 'n_mastery' and needed_count is null",
    } %}
    {% for problem, condition in checks.items() %}
    select rule_id, rule_version, '{{ problem }}' as problem from rules where {{ condition }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    rule_id,
    rule_version,
    concat('seeds/rules/mastery_rules.csv, rule ', rule_id, ' version ', rule_version, ': ', problem, '.') as mend
from problems

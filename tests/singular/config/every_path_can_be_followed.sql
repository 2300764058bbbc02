-- Finds: steps of learning_paths.csv that wait for a step that is not there or for themselves, have a rule that cannot
--        be met, or stand in a version that a later one overlaps.
-- Matters: such a step stays locked for ever, opens for everyone, or holds by chance.
-- Do: correct the row of seeds/rules/learning_paths.csv that the sentence names.
{{ config(tags=['of_seeds']) }}
with recursive steps as (
    {{ with_effective_times(ref('learning_paths')) }}
),

waits as (
    select
        path_id,
        path_version,
        step_number,
        trim(unnest(string_split(prerequisites, '|'))) as needed_step
    from steps
    where prerequisites is not null
),

reached as (
    select
        path_id,
        path_version,
        step_number,
        needed_step
    from waits

    union distinct

    select
        reached.path_id,
        reached.path_version,
        reached.step_number,
        waits.needed_step
    from reached
    inner join waits
        on
            reached.path_id = waits.path_id
            and reached.path_version = waits.path_version
            and reached.needed_step = cast(waits.step_number as varchar)
),

problems as (
    select
        waits.path_id,
        waits.path_version,
        waits.step_number,
        'step_missing' as finding,
        'waits for step ' || waits.needed_step || ', which the path does not have' as problem
    from waits
    left join steps
        on
            waits.path_id = steps.path_id
            and waits.path_version = steps.path_version
            and waits.needed_step = cast(steps.step_number as varchar)
    where steps.path_id is null

    union all

    select
        path_id,
        path_version,
        step_number,
        'circle' as finding,
        'it waits for itself' as problem
    from reached
    where needed_step = cast(step_number as varchar)

    union all

    select
        path_id,
        path_version,
        step_number,
        'rule_unusable' as finding,
        'prerequisite_rule is not all, any or a number between 1 and that of its prerequisites' as problem
    from steps
    where
        prerequisites is not null
        and coalesce(prerequisite_rule not in ('all', 'any'), true)
        and coalesce(
            try_cast(prerequisite_rule as integer) not between 1 and len(string_split(prerequisites, '|')),
            true
        )

    union all

    select distinct
        steps.path_id,
        steps.path_version,
        steps.step_number,
        'versions_overlap' as finding,
        'version ' || later.path_version || ' begins while this one still applies' as problem
    from steps
    inner join steps as later
        on
            steps.path_id = later.path_id
            and steps.path_version < later.path_version
            and coalesce(steps.effective_to > later.effective_from, true)
)

select
    path_id,
    step_number,
    finding,
    concat(
        'seeds/rules/learning_paths.csv, path ', path_id, ' version ', path_version, ' step ', step_number,
        ': ', problem, '.'
    ) as remedy
from problems

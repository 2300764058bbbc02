-- Finds: steps of learning_paths.csv that wait, directly or through others, for themselves.
-- Matters: none of the steps in the circle could ever open.
-- Do: take one prerequisite out of the circle in seeds/rules/learning_paths.csv.
{{ config(tags=['of_seeds']) }}
with recursive waits as (
    select
        path_id,
        path_version,
        step_number,
        try_cast(unnest(string_split(prerequisites, '|')) as integer) as needed_step_number
    from {{ ref('learning_paths') }}
    where prerequisites is not null
),

reached as (
    select
        path_id,
        path_version,
        step_number,
        needed_step_number
    from waits

    union distinct

    select
        reached.path_id,
        reached.path_version,
        reached.step_number,
        waits.needed_step_number
    from reached
    inner join waits
        on
            reached.path_id = waits.path_id
            and reached.path_version = waits.path_version
            and reached.needed_step_number = waits.step_number
)

select
    path_id,
    step_number,
    concat(
        'seeds/rules/learning_paths.csv, path ', path_id, ' version ', path_version, ' step ', step_number,
        ': it waits for itself.'
    ) as remedy
from reached
where step_number = needed_step_number

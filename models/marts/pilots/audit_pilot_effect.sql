-- One row per objective or step of a learning path, and change: the students whose outcome would change with a pilot.
{{ config(enabled=pilot() is not none) }}

select
    {{ text_hash(['outcome', 'objective_id', 'path_id', 'step_number', 'value_now', 'value_with_pilot']) }}
        as effect_key,
    outcome,
    objective_id,
    path_id,
    step_number,
    value_now,
    value_with_pilot,
    count(*) as student_count
from {{ ref('int_pilot_outcomes') }}
where value_now <> value_with_pilot
group by all

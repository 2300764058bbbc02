-- One row per student of whom a pilot says anything, and objective or step: the outcome that stands, and that with it.
{{ config(enabled=pilot() is not none) }}

with evidence as (
    select
        source_id,
        student_key
    from {{ ref('fct_evidence') }}
    union all
    select
        source_id,
        student_key
    from {{ live('fct_evidence') }}
),

students as (
    select distinct student_key from evidence
    where source_id = '{{ pilot() }}' and student_key is not null
),

outcomes as (
    {% for value, mastery, gates in [
        ('value_now', live('int_mastery_status'), live('int_gate_status')),
        ('value_with_pilot', ref('int_mastery_status'), ref('int_gate_status')),
    ] %}
    select
        'mastery' as outcome,
        student_key,
        objective_id,
        state as {{ value }}
    from {{ mastery }}
    union all by name
    select
        'gate' as outcome,
        student_key,
        objective_id,
        path_id,
        cast(step_number as bigint) as step_number,
        gate as {{ value }}
    from {{ gates }}
    {{- '\n    union all by name' if not loop.last }}
    {% endfor %}
)

select
    {{ text_hash([
        'outcomes.outcome', 'outcomes.student_key', 'outcomes.objective_id', 'outcomes.path_id', 'outcomes.step_number',
    ]) }} as outcome_key,
    outcomes.outcome,
    outcomes.student_key,
    outcomes.objective_id,
    outcomes.path_id,
    outcomes.step_number,
    coalesce(max(outcomes.value_now), 'none') as value_now,
    coalesce(max(outcomes.value_with_pilot), 'none') as value_with_pilot
from outcomes
inner join students on outcomes.student_key = students.student_key
group by all

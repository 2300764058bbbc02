-- One row per cycle, student, objective, step and field that changed: its value before and after, and why.
with cycles as (
    select * from {{ ref('stg_landing__cycles') }}
),

mastery as (
    select * from {{ ref('snap_mastery') }}
),

gates as (
    select * from {{ ref('snap_gate_status') }}
),

closed_mastery as (
    select * from mastery
    where dbt_valid_to is not null
),

closed_gates as (
    select * from gates
    where dbt_valid_to is not null
),

mastery_changes as (
    select
        coalesce(after.dbt_valid_from, before.dbt_valid_to) as changed_at,
        coalesce(after.student_key, before.student_key) as student_key,
        coalesce(after.roster_source_id, before.roster_source_id) as roster_source_id,
        coalesce(after.student_id, before.student_id) as student_id,
        coalesce(after.objective_id, before.objective_id) as objective_id,
        {{ change_of_evidence('before', 'after') }} as evidence_reason,
        {{ change_of_override('before', 'after') }} as override_reason,
        unnest([
            {{ field_change('scored', 'evidence_count') }},
            {{ field_change('scored', 'score_percent') }},
            {{ field_change('graded', 'threshold_percent') }},
            {{ field_change('graded', 'automatic_state') }},
            {{ field_change('overridden', 'override_action') }},
            {{ field_change('overridden', 'state') }},
            {{ field_change('overridden', 'is_completed') }}
        ], max_depth := 2)
    from mastery as after
    full join closed_mastery as before
        on after.mastery_key = before.mastery_key and after.dbt_valid_from = before.dbt_valid_to
),

gate_changes as (
    select
        coalesce(after.dbt_valid_from, before.dbt_valid_to) as changed_at,
        coalesce(after.student_key, before.student_key) as student_key,
        coalesce(after.roster_source_id, before.roster_source_id) as roster_source_id,
        coalesce(after.student_id, before.student_id) as student_id,
        coalesce(after.objective_id, before.objective_id) as objective_id,
        coalesce(after.path_id, before.path_id) as path_id,
        coalesce(after.step_number, before.step_number) as step_number,
        'gated' as step,
        'gate' as field,
        before.gate as before_value,
        after.gate as after_value,
        {{ change_of_gate('before', 'after') }} as reason
    from gates as after
    full join closed_gates as before
        on after.gate_key = before.gate_key and after.dbt_valid_from = before.dbt_valid_to
),

checkpoints as (
    select
        changed_at,
        student_key,
        roster_source_id,
        student_id,
        objective_id,
        null as path_id,
        null as step_number,
        step,
        field,
        before_value,
        after_value,
        case when is_by_override then coalesce(override_reason, evidence_reason) else evidence_reason end as reason
    from mastery_changes
    union all
    select * from gate_changes
)

select
    cycles.cycle_id,
    checkpoints.*,
    case when students.user_key is null then ['student_id'] else [] end as unresolved
from checkpoints
inner join cycles on checkpoints.changed_at = cycles.as_of
left join {{ with_live('dim_user') }} as students on checkpoints.student_key = students.user_key
where checkpoints.before_value is distinct from checkpoints.after_value

-- One row per cycle, student, objective, step and field that changed: its value before and after, and why.
with cycles as (
    select * from {{ ref('stg_landing__cycles') }}
),

mastery_changes as (
    select * from {{ ref('int_mastery_changed') }}
),

gate_changes as (
    select * from {{ ref('int_gates_changed') }}
),

checkpoints as (
    {{ mastery_checkpoint('scored', 'evidence_count') }}
    union all
    {{ mastery_checkpoint('scored', 'score_percent') }}
    union all
    {{ mastery_checkpoint('graded', 'threshold_percent') }}
    union all
    {{ mastery_checkpoint('graded', 'automatic_state') }}
    union all
    {{ mastery_checkpoint('overridden', 'override_action') }}
    union all
    {{ mastery_checkpoint('overridden', 'state') }}
    union all
    {{ mastery_checkpoint('overridden', 'is_completed') }}
    union all
    select
        changed_at,
        roster_source_id,
        student_id,
        objective_id,
        path_id,
        step_number,
        'gated' as step,
        'gate' as field,
        gate_before as before_value,
        gate_after as after_value,
        reason
    from gate_changes
    where gate_before is distinct from gate_after
),

final as (
    select
        cycles.cycle_id,
        checkpoints.changed_at,
        checkpoints.roster_source_id as source_id,
        checkpoints.student_id,
        checkpoints.objective_id,
        checkpoints.path_id,
        checkpoints.step_number,
        checkpoints.step,
        checkpoints.field,
        checkpoints.before_value,
        checkpoints.after_value,
        checkpoints.reason
    from checkpoints
    inner join cycles on checkpoints.changed_at = cycles.cutoff_at
)

select * from final

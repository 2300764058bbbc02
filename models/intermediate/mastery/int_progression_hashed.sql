-- One row per student, path and step: the gate in the newest cycle, as it is recorded.
{{ config(materialized='view') }}

with progression as (
    select * from {{ ref('int_progression_gated') }}
),

bounds as (
    select * from {{ ref('int_cycle_bounded') }}
),

final as (
    select
        {{ content_hash([
            'progression.roster_source_id', 'progression.student_id', 'progression.path_id', 'progression.step_number',
        ]) }} as progression_key,
        progression.roster_source_id,
        progression.student_id,
        progression.path_id,
        progression.path_version,
        progression.step_number,
        progression.objective_id,
        progression.is_optional,
        progression.gate,
        progression.blocked_by,
        {{ content_hash([
            'progression.path_version', 'progression.objective_id', 'progression.is_optional', 'progression.gate',
            'progression.blocked_by',
        ]) }} as row_hash,
        bounds.as_of
    from progression
    cross join bounds
)

select * from final

-- One row per student, path and step: its gate, what blocks it, since when, and as of when.
with progression as (
    select * from {{ ref('int_progression_gated') }}
),

recorded as (
    {{ recorded(ref('snap_progression_step'), ref('int_progression_hashed')) }}
),

bounds as (
    select * from {{ ref('int_cycle_bounded') }}
),

final as (
    select
        progression.roster_source_id as source_id,
        progression.student_id,
        progression.path_id,
        progression.path_version,
        progression.step_number,
        progression.objective_id,
        progression.is_optional,
        progression.gate,
        progression.blocked_by,
        recorded.dbt_valid_from as since,
        bounds.is_provisional,
        bounds.missing_feeds,
        bounds.as_of
    from progression
    cross join bounds
    left join recorded
        on
            progression.roster_source_id = recorded.roster_source_id
            and progression.student_id = recorded.student_id
            and progression.path_id = recorded.path_id
            and progression.step_number = recorded.step_number
            and recorded.dbt_valid_to is null
)

select * from final

-- One row per student and objective: the state that stands, what it rests on, and as of when.
with mastery as (
    select * exclude (rule_fingerprint, override_action, override_key) from {{ ref('int_mastery_status') }}
),

current_intervals as (
    select
        student_key,
        objective_id,
        dbt_valid_from as since
    from {{ ref('snap_mastery') }}
    where dbt_valid_to is null
),

completeness as (
    select * from {{ ref('int_cycle_completeness') }}
),

final as (
    select
        mastery.*,
        case when students.user_key is null then ['student_id'] else [] end as unresolved,
        coalesce(students.is_active, false) as is_on_roster,
        current_intervals.since,
        completeness.is_provisional,
        completeness.missing_feeds,
        completeness.evidence_until,
        completeness.as_of
    from mastery
    cross join completeness
    left join {{ ref('dim_user') }} as students on mastery.student_key = students.user_key
    left join current_intervals
        on
            mastery.student_key = current_intervals.student_key
            and mastery.objective_id = current_intervals.objective_id
)

select * from final

-- One row per student, path and step: its gate, what blocks it, since when, and as of when.
with gates as (
    select * exclude (inputs_fingerprint) from {{ ref('int_gate_status') }}
),

current_intervals as (
    select
        student_key,
        path_id,
        step_number,
        dbt_valid_from as since
    from {{ ref('snap_gate_status') }}
    where dbt_valid_to is null
),

final as (
    select
        gates.*,
        case when students.user_key is null then ['student_id'] else [] end as unresolved,
        current_intervals.since,
        completeness.is_provisional,
        completeness.missing_feeds,
        completeness.as_of
    from gates
    cross join {{ ref('int_cycle_completeness') }} as completeness
    left join {{ with_live('dim_user') }} as students on gates.student_key = students.user_key
    left join current_intervals
        on
            gates.student_key = current_intervals.student_key
            and gates.path_id = current_intervals.path_id
            and gates.step_number = current_intervals.step_number
)

select * from final

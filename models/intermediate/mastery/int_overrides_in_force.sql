-- One row per student and objective that a teacher has decided on: the decision in force at the cut-off.
with overrides as (
    select * from {{ ref('stg_overrides__mastery_overrides') }}
),

students as (
    select * from {{ ref('dim_user') }}
),

removed as (
    select * from {{ ref('int_records_removed') }}
    where feed = 'overrides/mastery_overrides'
),

bounds as (
    select * from {{ ref('int_cycle_bounded') }}
),

ranked as (
    select
        overrides.*,
        row_number() over (
            partition by overrides.roster_source_id, overrides.student_id, overrides.objective_id
            order by
                overrides.effective_at desc,
                overrides.version_at desc,
                overrides.source_id asc,
                overrides.override_id asc
        ) as recency
    from overrides
    inner join students
        on overrides.roster_source_id = students.source_id and overrides.student_id = students.user_id
    inner join bounds on overrides.effective_at <= bounds.as_of
    left join removed
        on overrides.source_id = removed.source_id and overrides.override_id = removed.record_key
    where removed.record_key is null
),

final as (
    select
        roster_source_id,
        student_id,
        objective_id,
        source_id,
        override_id,
        action,
        state,
        teacher_id,
        reason,
        effective_at,
        visible_at
    from ranked
    where recency = 1
)

select * from final

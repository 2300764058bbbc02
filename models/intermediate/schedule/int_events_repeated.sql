-- One row per source with evidence: how many students it assessed between two cycles, and more than once.
with cycles as (
    select
        cutoff_at,
        lag(cutoff_at) over (order by cycle_id) as previous_cutoff_at
    from {{ ref('stg_landing__cycles') }}
),

events as (
    select distinct
        source_id,
        student_id,
        evidence_id,
        event_at
    from {{ ref('int_evidence') }}
    where student_id is not null and event_at is not null
),

by_student as (
    select
        events.source_id,
        events.student_id,
        cycles.cutoff_at,
        count(*) as event_count
    from events
    inner join cycles
        on events.event_at > cycles.previous_cutoff_at and events.event_at <= cycles.cutoff_at
    group by events.source_id, events.student_id, cycles.cutoff_at
),

final as (
    select
        source_id,
        count(*) as assessed_count,
        count(case when event_count > 1 then 1 end) as repeated_count
    from by_student
    group by source_id
)

select * from final

-- One row per source and run of cycles in which these tables see its files: live ones while it is live, those of a
-- pilot while that is a pilot or live.
with cycles as (
    select
        cycle_id,
        lag(job_id, 1, 0) over (order by cycle_id) as previous_job_id
    from {{ source('landing', 'cycles') }}
    where status <> 'skipped'
),

decided as (
    select
        decisions.source_id,
        decisions.stage_decision_id,
        decisions.stage,
        coalesce(cycles.cycle_id, 0) as cycle_id,
        cycles.previous_job_id
    from {{ source('landing', 'stage_decisions') }} as decisions
    left join {{ source('landing', 'cycle_stage_decisions') }} as cycle_decisions using (stage_decision_id)
    left join cycles on cycle_decisions.cycle_id = cycles.cycle_id
    where decisions.decision = 'declare' or cycles.cycle_id is not null
),

-- Where no cycle has recorded the first stage yet, sources.csv says it; what it names no longer was live.
undeclared as (
    select distinct
        files.source_id,
        0 as stage_decision_id,
        coalesce(sources.stage, 'live') as stage,
        0 as cycle_id,
        cast(null as bigint) as previous_job_id
    from {{ source('landing', 'files') }} as files
    left join {{ ref('sources') }} as sources on files.source_id = sources.source_id
    where files.source_id not in (select decided.source_id from decided)
),

every_stage as (
    select * from decided
    union all
    select * from undeclared
),

runs as (
    select
        source_id,
        stage,
        cycle_id as from_cycle_id,
        lead(cycle_id) over (partition by source_id order by stage_decision_id) as to_cycle_id,
        lead(previous_job_id) over (partition by source_id order by stage_decision_id) as to_job_id,
        last_value(stage) over (
            partition by source_id order by stage_decision_id
            rows between unbounded preceding and unbounded following
        ) as current_stage
    from every_stage
)

select
    source_id,
    from_cycle_id,
    to_cycle_id,
    to_job_id,
    current_stage
from runs
where coalesce(from_cycle_id < to_cycle_id, true) and {{ is_seen('source_id', 'stage') }}

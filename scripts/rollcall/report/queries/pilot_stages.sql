with decided as (
    select
        decisions.source_id,
        decisions.stage_decision_id,
        decisions.decided_at,
        decisions.decision,
        decisions.stage,
        decisions.reason,
        decisions.decided_by,
        acted.cycle_id,
        bool_or(decisions.stage = 'pilot') over (partition by decisions.source_id) as was_pilot
    from landing.stage_decisions as decisions
    left join landing.cycle_stage_decisions as acted on decisions.stage_decision_id = acted.stage_decision_id
)

select
    source_id as source,
    decided_at,
    if(decision = 'declare', 'declared', decision || 'd') as decision,
    stage,
    cycle_id as since_cycle,
    reason,
    decided_by
from decided
where was_pilot
order by
    source asc, stage_decision_id asc

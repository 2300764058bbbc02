with promoted as (
    select
        decisions.source_id,
        acted.cycle_id
    from landing.stage_decisions as decisions
    inner join landing.cycle_stage_decisions as acted on decisions.stage_decision_id = acted.stage_decision_id
    where decisions.decision = 'promote' and decisions.stage = 'live'
),

assessed as (
    select distinct
        source_id,
        student_key,
        objective_id
    from good.progression.fct_evidence
    where disposition = 'usable'
)

select
    promoted.source_id as source,
    promoted.cycle_id as cycle,
    changes.objective_id as objective,
    coalesce(replace(changes.before_value, '_', ' '), 'none') as before,
    coalesce(replace(changes.after_value, '_', ' '), 'none') as after,
    count(distinct changes.student_key) as students
from promoted
inner join good.progression.fct_checkpoint as changes on promoted.cycle_id = changes.cycle_id
inner join assessed
    on
        promoted.source_id = assessed.source_id
        and changes.student_key = assessed.student_key
        and changes.objective_id = assessed.objective_id
where changes.field = 'state'
group by all
order by
    source asc, cycle asc, objective asc, before asc, after asc

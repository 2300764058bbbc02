select
    listed.student_id,
    listed.objective_id,
    replace(listed.state, '_', ' ') as state,
    listed.score_percent as score,
    listed.threshold_percent as needed,
    listed.evidence_count as evidence,
    listed.last_evidence_at as last_evidence,
    listed.is_override as override,
    listed.is_provisional as provisional,
    listed.since,
    people.name,
    listed.roster_source_id
from good.progression.fct_mastery as listed
left join good.core.dim_user as people
    on listed.student_key = people.user_key
where listed.is_on_roster
order by listed.student_id, listed.objective_id, listed.roster_source_id

select
    objective_id as objective,
    count(*) as students,
    count(*) filter (state = 'mastered') as mastered,
    count(*) filter (state = 'not_mastered') as not_mastered,
    count(*) filter (state = 'insufficient_evidence') as insufficient_evidence,
    count(*) filter (state = 'not_evaluated') as not_evaluated,
    count(*) filter (is_override) as overridden
from good.progression.fct_mastery
where is_on_roster
group by objective_id
order by objective_id

select
    people.user_id as student_id,
    contests.field_name as field,
    contests.winner_source_id as stands,
    contests.winner_value as value_that_stands,
    contests.loser_source_id as says_otherwise,
    contests.loser_value as other_value,
    replace(contests.rule, '_', ' ') as because_of,
    contests.since_at,
    contests.since_cycle_id as since_cycle,
    contests.age_days,
    people.name,
    people.roster_source_id
from good.reconciliation.recon_contest as contests
inner join good.core.dim_user as people
    on contests.student_key = people.user_key
order by
    contests.since_at asc, student_id asc, field asc, says_otherwise asc, people.roster_source_id asc

select
    field_name as field,
    winner_source_id as stands,
    loser_source_id as says_otherwise,
    replace(rule, '_', ' ') as because_of,
    count(*) as students,
    min(since_at) as oldest_since,
    max(age_days) as oldest_days
from good.reconciliation.recon_contest
group by field_name, winner_source_id, loser_source_id, rule
order by students desc, field asc, stands asc, says_otherwise asc, because_of asc

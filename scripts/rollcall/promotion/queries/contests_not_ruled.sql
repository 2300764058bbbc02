select count(distinct field_name) as value
from $pilot.recon_contest
where rule <> 'source_hierarchy'

-- One row per student on whom a person has decided: the last decision that the current cycle knows.
select
    links.source_student_key,
    max_by(links.decision, links.link_id) as decision,
    arg_max_null(links.student_key, links.link_id) as student_key,
    max_by(cycles.cycle_id, links.link_id) as decided_cycle_id
from {{ source('landing', 'student_links') }} as links
inner join {{ source('landing', 'cycle_student_links') }} as cycle_links using (link_id)
inner join {{ ref('stg_landing__cycles') }} as cycles on cycle_links.cycle_id = cycles.cycle_id
group by links.source_student_key

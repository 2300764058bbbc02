-- One row per student on whom a person has decided: the last decision that the current cycle knows.
with sources as (
    select
        source_id,
        to_cycle_id
    from {{ ref('stg_landing__stages') }}
    {% if pilot() %}
    -- Students of the roster who were merged are so for a pilot, too.
    union all
    select
        roster_source_id as source_id,
        null as to_cycle_id
    from {{ ref('sources') }}
    where source_id = '{{ pilot() }}'
    {% endif %}
),

decided as (
    select
        links.*,
        cycles.cycle_id
    from {{ source('landing', 'student_links') }} as links
    inner join {{ source('landing', 'cycle_student_links') }} as cycle_links using (link_id)
    inner join {{ ref('stg_landing__cycles') }} as cycles on cycle_links.cycle_id = cycles.cycle_id
    inner join sources
        on
            split_part(links.source_student_key, ':', 1) = sources.source_id
            and coalesce(cycles.cycle_id < sources.to_cycle_id, true)
)

select
    source_student_key,
    max_by(decision, link_id) as decision,
    arg_max_null(student_key, link_id) as student_key,
    max_by(cycle_id, link_id) as decided_cycle_id
from decided
group by source_student_key

-- One row per source, student as it knows one, and id: which student of the roster it names.
{{ config(enabled=has_assessments()) }}

with ids as (
    select * from {{ ref('int_student_ids') }}
),

links as (
    select * from {{ ref('int_student_links') }}
),

-- A record that comes again is a newer version of itself, so that its export time says when it came last.
first_seen as (
    select
        source_student_key,
        min(dbt_valid_from) as first_seen_at
    from {{ ref('snap_student_link') }}
    group by source_student_key
)

select
    ids.source_id,
    ids.roster_source_id,
    ids.source_student_key,
    ids.assigner,
    ids.id_kind,
    ids.id_value,
    links.outcome,
    links.student_key,
    links.is_on_roster,
    links.is_by_hand,
    first_seen.first_seen_at,
    ids.last_seen_at
from ids
inner join links on ids.source_student_key = links.source_student_key
inner join first_seen on ids.source_student_key = first_seen.source_student_key

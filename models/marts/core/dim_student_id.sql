-- One row per source, student as it knows one, and id: which student of the roster it names.
{{ config(enabled=has_assessments()) }}

with ids as (
    select * from {{ ref('int_student_ids') }}
),

links as (
    select * from {{ ref('int_student_links') }}
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
    ids.first_seen_at,
    ids.last_seen_at
from ids
inner join links on ids.source_student_key = links.source_student_key

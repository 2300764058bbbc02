-- One row per student as a source knows one: which student of the roster that is, and how that is known.
{{ config(enabled=has_assessments()) }}

with source_students as (
    select
        source_student_key,
        source_id,
        roster_source_id,
        bool_or(is_trusted_alone) as is_trusted_alone
    from {{ ref('int_student_ids') }}
    group by source_student_key, source_id, roster_source_id
),

matches as (
    select * from {{ ref('int_student_matches') }}
),

-- Whom no id finds, name and birth date may propose; nobody is linked by them.
proposed as (
    select
        witnesses.source_student_key,
        students.user_key,
        count(*) over (partition by witnesses.source_student_key) as student_count,
        count(*) over (partition by students.user_key) as source_student_count
    from {{ ref('int_student_witnesses') }} as witnesses
    anti join matches on witnesses.source_student_key = matches.source_student_key
    inner join {{ ref('int_roster_students') }} as students
        on
            witnesses.roster_source_id = students.roster_source_id
            and witnesses.family_name = students.family_name
            and witnesses.given_name = students.given_name
            and witnesses.birth_date = students.birth_date
            and students.is_active
),

proposals as (
    select
        source_student_key,
        min(user_key) as user_key,
        max(student_count) = 1 and max(source_student_count) = 1 as is_unique
    from proposed
    group by source_student_key
),

-- The last decision of a person on a student counts, from the cycle on that knows it.
decided as (
    select
        links.source_student_key,
        max_by(links.decision, links.link_id) as decision,
        arg_max_null(links.student_key, links.link_id) as user_key
    from {{ source('landing', 'student_links') }} as links
    inner join {{ source('landing', 'cycle_student_links') }} as cycle_links using (link_id)
    inner join {{ ref('stg_landing__cycles') }} as cycles on cycle_links.cycle_id = cycles.cycle_id
    group by links.source_student_key
),

judged as (
    select
        source_students.*,
        decided.decision is not null as is_by_hand,
        coalesce(matches.is_on_roster, true) as is_on_roster,
        case
            when decided.decision = 'link' then 'linked'
            when decided.decision = 'unlink' then 'none'
            when matches.is_id_shared then 'ambiguous'
            when matches.do_ids_differ or matches.is_contradicted then 'conflict'
            when matches.is_twin then 'ambiguous'
            when matches.is_agreed then 'linked'
            when matches.user_key is not null then 'linked_unwitnessed'
            when proposals.is_unique then 'proposed'
            when proposals.user_key is not null then 'ambiguous'
            else 'none'
        end as outcome,
        case
            when decided.decision = 'link' then decided.user_key
            when decided.decision is null then coalesce(matches.user_key, proposals.user_key)
        end as found_student_key
    from source_students
    left join matches on source_students.source_student_key = matches.source_student_key
    left join proposals on source_students.source_student_key = proposals.source_student_key
    left join decided on source_students.source_student_key = decided.source_student_key
)

select
    *,
    case when outcome in ('linked', 'linked_unwitnessed') then found_student_key end as student_key,
    outcome = 'linked' or (outcome = 'linked_unwitnessed' and is_trusted_alone) as is_usable
from judged

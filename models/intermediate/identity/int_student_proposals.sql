-- One row per student as a source knows one whom no id finds: who has the same name and birth date on the roster.
{{ config(materialized='ephemeral', enabled=has_assessments()) }}

with nobodys as (
    select witnesses.*
    from {{ ref('int_student_matches') }} as matches
    inner join {{ ref('int_student_witnesses') }} as witnesses
        on matches.source_student_key = witnesses.source_student_key and matches.student_key is null
),

-- Where names or birth dates stand for none, many are alike: they are counted, since to pair them takes for ever.
said as (
    select
        roster_source_id,
        family_name,
        given_name,
        birth_date,
        count(*) as said_count
    from nobodys
    group by all
),

students as (
    select
        students.*,
        sum(said.said_count) over (partition by students.student_key) as source_student_count
    from {{ ref('int_roster_students') }} as students
    inner join said using (roster_source_id, family_name, given_name, birth_date)
    where students.is_active
),

alike as (
    select
        roster_source_id,
        family_name,
        given_name,
        birth_date,
        min(student_key) as student_key,
        count(*) as student_count,
        max(source_student_count) as source_student_count
    from students
    group by all
)

select
    nobodys.source_student_key,
    min(alike.student_key) as student_key,
    sum(alike.student_count) = 1 and max(alike.source_student_count) = 1 as is_unique
from nobodys
inner join alike using (roster_source_id, family_name, given_name, birth_date)
group by nobodys.source_student_key

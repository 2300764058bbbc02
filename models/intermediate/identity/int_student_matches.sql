-- One row per student as a source knows one whose id the roster has: whom it finds, and what speaks for and against it.
{{ config(enabled=has_assessments()) }}

with students as (
    select * from {{ ref('int_roster_students') }}
),

each_id as (
    select
        * exclude (student_ids),
        unnest(student_ids) as student_id
    from students
),

named as (
    select
        each_id.user_key,
        each_id.roster_source_id,
        each_id.is_active,
        each_id.student_id.assigner,
        each_id.student_id.id_kind,
        each_id.student_id.id_value
    from each_id
),

-- The present roster goes before earlier ones: there an id counts only where no present student has it.
roster_ids as (
    select
        *,
        count(*) over (partition by roster_source_id, assigner, id_kind, id_value) as holder_count
    from named
    qualify is_active or not bool_or(is_active) over (partition by roster_source_id, assigner, id_kind, id_value)
),

found as (
    select
        ids.source_student_key,
        arg_min(roster_ids.user_key, (ids.priority, roster_ids.user_key)) as user_key,
        bool_or(roster_ids.is_active) as is_on_roster,
        max(roster_ids.holder_count) > 1 as is_id_shared,
        min(roster_ids.user_key) <> max(roster_ids.user_key) as do_ids_differ
    from {{ ref('int_student_ids') }} as ids
    inner join roster_ids using (roster_source_id, assigner, id_kind, id_value)
    group by ids.source_student_key
),

-- Whom name and birth date do not tell from another student.
twins as (
    select
        *,
        count(*) over (partition by roster_source_id, family_name, left(given_name, 1), birth_date) > 1
        and family_name is not null and birth_date is not null as is_twin
    from students
),

-- A name agrees by the last name and the first letter of the first name.
witnessed as (
    select
        found.source_student_key,
        bool_or(
            coalesce(witnesses.birth_date <> students.birth_date, false)
            or coalesce(witnesses.family_name <> students.family_name, false)
            or coalesce(left(witnesses.given_name, 1) <> left(students.given_name, 1), false)
        ) as is_contradicted,
        bool_or(
            coalesce(witnesses.birth_date = students.birth_date, false)
            or coalesce(
                witnesses.family_name = students.family_name
                and left(witnesses.given_name, 1) = left(students.given_name, 1), false
            )
        ) as is_agreed,
        bool_or(students.is_twin and coalesce(witnesses.given_name <> students.given_name, true)) as is_twin
    from found
    inner join twins as students on found.user_key = students.user_key
    inner join {{ ref('int_student_witnesses') }} as witnesses
        on found.source_student_key = witnesses.source_student_key
    group by found.source_student_key
)

select
    found.*,
    coalesce(witnessed.is_contradicted, false) as is_contradicted,
    coalesce(witnessed.is_agreed, false) as is_agreed,
    coalesce(witnessed.is_twin, false) as is_twin
from found
left join witnessed on found.source_student_key = witnessed.source_student_key

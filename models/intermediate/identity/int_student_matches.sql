-- One row per student as a source knows one: whom its ids find, and whether name and birth date agree.
{{ config(materialized='ephemeral', enabled=has_assessments()) }}

with students as (
    select * from {{ ref('int_roster_students') }}
),

each_id as (
    select
        roster_source_id,
        student_key,
        is_active,
        unnest(student_ids, max_depth := 2) -- noqa: AL03
    from students
),

-- The present roster goes before earlier ones: there an id counts only where no present student has it.
ids_of_roster as (
    select
        roster_source_id,
        concat_ws(':', assigner, id_kind, id_value) as id_key,
        coalesce(min(student_key) filter (where is_active), min(student_key)) as student_key,
        coalesce(
            min(student_key) filter (where is_active) <> max(student_key) filter (where is_active),
            min(student_key) <> max(student_key)
        ) as is_shared
    from each_id
    group by roster_source_id, id_key
),

-- What the second and later ids of a student find.
found_by_others as (
    select
        ids.source_student_key,
        arg_min(ids_of_roster.student_key, (ids.priority, ids_of_roster.student_key)) as student_key,
        bool_or(ids_of_roster.is_shared) as is_shared,
        min(ids_of_roster.student_key) as least_student_key,
        max(ids_of_roster.student_key) as greatest_student_key
    from {{ ref('int_student_ids') }} as ids
    inner join ids_of_roster using (roster_source_id, id_key)
    where not ids.is_first
    group by ids.source_student_key
),

found as (
    select
        witnesses.*,
        coalesce(ids_of_roster.student_key, others.student_key) as student_key,
        coalesce(ids_of_roster.is_shared, false) or coalesce(others.is_shared, false) as is_id_shared,
        coalesce(
            others.least_student_key <> others.greatest_student_key
            or others.least_student_key <> ids_of_roster.student_key,
            false
        ) as do_ids_differ
    from {{ ref('int_student_witnesses') }} as witnesses
    left join ids_of_roster using (roster_source_id, id_key)
    left join found_by_others as others on witnesses.source_student_key = others.source_student_key
),

-- A name is the last name and the first letter of the first name.
compared as (
    select
        found.*,
        students.is_on_roster,
        found.birth_date = students.birth_date as does_birth_date_agree,
        found.family_name = students.family_name as does_family_name_agree,
        left(found.given_name, 1) = left(students.given_name, 1) as does_initial_agree,
        students.is_twin
        and (found.family_name is not null or found.birth_date is not null)
        and coalesce(found.given_name <> students.given_name, true) as is_indistinct
    from found
    left join students on found.student_key = students.user_key
)

select
    source_student_key,
    source_id,
    roster_source_id,
    student_key,
    is_on_roster,
    is_id_shared,
    do_ids_differ,
    bool_and(does_birth_date_agree) as does_birth_date_agree,
    bool_and(does_family_name_agree) as does_family_name_agree,
    bool_and(does_initial_agree) as does_initial_agree,
    coalesce(bool_or(is_indistinct), false) as is_indistinct
from compared
group by source_student_key, source_id, roster_source_id, student_key, is_on_roster, is_id_shared, do_ids_differ

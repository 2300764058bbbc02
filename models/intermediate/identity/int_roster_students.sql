-- One row per student of the roster: names as they are compared, birth date and ids.
{{ config(enabled=has_assessments()) }}

with id_columns as (
    {{ id_columns() }}
),

merged as (
    {{ merged_students() }}
),

demographics as (
    {{ trimmed_records(source('witnesses', 'birth_dates')) }}
),

birth_dates as (
    select
        files.source_id || ':' || {{ text('sourcedId') }} as user_key,
        max_by({{ date('birthDate') }}, (files.exported_at, records.record_number)) as birth_date
    from demographics as records
    inner join {{ with_live('stg_landing__files', is_own=true) }} as files
        on records.file_id = files.file_id and files.is_visible
    where {{ text('sourcedId') }} is not null
    group by all
),

users as (
    select
        *,
        {{ roster_feed('source_id') }} as feed
    from {{ with_live('dim_user') }}
    where role = 'student'
),

-- Where two ids were merged, both go on to find the student.
students as (
    select
        users.*,
        coalesce(merged.student_key, users.user_key) as student_key,
        birth_dates.birth_date,
        {{ compared_name('users.family_name') }} as compared_family_name,
        {{ compared_name('users.given_name') }} as compared_given_name
    from users
    left join birth_dates on users.user_key = birth_dates.user_key
    left join merged on users.user_key = merged.user_key
),

-- Whom name and birth date do not tell from another student.
twins as (
    select
        source_id,
        compared_family_name,
        left(compared_given_name, 1) as initial,
        birth_date
    from students
    where birth_date is not null and compared_family_name is not null
    group by all
    having min(student_key) <> max(student_key)
)

select
    students.user_key,
    students.source_id as roster_source_id,
    students.student_key,
    students.is_active,
    bool_or(students.is_active) over (partition by students.student_key) as is_on_roster,
    students.compared_family_name as family_name,
    students.compared_given_name as given_name,
    students.birth_date,
    students.grades,
    students.org_key,
    twins.source_id is not null as is_twin,
    {{ declared_ids({
        'sourcedId': 'students.user_id',
        'identifier': 'students.identifier',
        'username': 'students.username',
        'email': 'students.email',
        'user_id': 'students.user_id',
        'login_id': 'students.username',
    }) }} as student_ids
from students
left join id_columns on students.source_id = id_columns.source_id and students.feed = id_columns.feed
left join twins
    on
        students.source_id = twins.source_id
        and students.compared_family_name = twins.compared_family_name
        and left(students.compared_given_name, 1) is not distinct from twins.initial
        and students.birth_date = twins.birth_date

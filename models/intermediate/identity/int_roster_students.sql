-- One row per student of the roster: names as they are compared, birth date and ids.
{{ config(enabled=has_assessments()) }}

with id_columns as (
    {{ id_columns() }}
),

demographics as (
    {{ trimmed_records(source('witnesses', 'birth_dates')) }}
),

birth_dates as (
    select
        files.source_id || ':' || {{ text('sourcedId') }} as user_key,
        max_by({{ date('birthDate') }}, (files.exported_at, records.record_number)) as birth_date
    from demographics as records
    inner join {{ ref('stg_landing__files') }} as files on records.file_id = files.file_id and files.is_visible
    where {{ text('sourcedId') }} is not null
    group by all
),

users as (
    select
        *,
        'oneroster/users' as feed
    from {{ ref('dim_user') }}
    where role = 'student'
)

select
    users.user_key,
    users.source_id as roster_source_id,
    users.is_active,
    {{ compared_name('users.family_name') }} as family_name,
    {{ compared_name('users.given_name') }} as given_name,
    birth_dates.birth_date,
    {{ declared_ids({
        'sourcedId': 'users.user_id',
        'identifier': 'users.identifier',
        'username': 'users.username',
        'email': 'users.email',
    }) }} as student_ids
from users
left join birth_dates on users.user_key = birth_dates.user_key
left join id_columns on users.source_id = id_columns.source_id and users.feed = id_columns.feed

-- One row per source and enrollment: a user in a class, with a role.
with enrollments as (
    select * from {{ ref('stg_oneroster__enrollments') }}
),

classes as (
    select * from {{ ref('stg_oneroster__classes') }}
),

users as (
    select * from {{ ref('stg_oneroster__users') }}
),

orgs as (
    select * from {{ ref('stg_oneroster__orgs') }}
),

removed as (
    select * from {{ ref('int_records_removed') }}
    where feed = 'oneroster/enrollments'
),

final as (
    select
        enrollments.source_id,
        enrollments.enrollment_id,
        enrollments.class_id,
        enrollments.user_id,
        case when enrollments.role = 'student' then enrollments.user_id end as student_id,
        enrollments.org_id,
        enrollments.role,
        enrollments.is_primary,
        enrollments.begin_date,
        enrollments.end_date,
        removed.record_key is null as is_active,
        {{ columns_where({
            'class_id': 'enrollments.class_id is not null and classes.class_id is null',
            'user_id': 'enrollments.user_id is not null and users.user_id is null',
            'org_id': 'enrollments.org_id is not null and orgs.org_id is null',
        }) }} as awaiting,
        enrollments.modified_at,
        enrollments.exported_at,
        enrollments.landed_at,
        enrollments.visible_at,
        enrollments.file_id,
        enrollments.record_number,
        enrollments.line_number
    from enrollments
    left join removed
        on
            enrollments.source_id = removed.source_id
            and enrollments.enrollment_id = removed.record_key
    left join classes
        on
            enrollments.roster_source_id = classes.source_id
            and enrollments.class_id = classes.class_id
    left join users
        on
            enrollments.roster_source_id = users.source_id
            and enrollments.user_id = users.user_id
    left join orgs
        on
            enrollments.roster_source_id = orgs.source_id
            and enrollments.org_id = orgs.org_id
)

select * from final

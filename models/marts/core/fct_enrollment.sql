-- One row per source and enrollment: a user in a class, with a role.
with enrollments as (
    {{ with_presence(
        ref('stg_oneroster__enrollments'), source('raw_oneroster', 'enrollments'),
        'oneroster/enrollments', 'enrollment_id'
    ) }}{{ and_of_canvas('int_roster_enrollments__canvas') }}
),

classes as (
    select class_key from {{ with_live('dim_class') }}
    where is_active
),

users as (
    select user_key from {{ with_live('dim_user') }}
    where is_active
),

orgs as (
    select org_key from {{ with_live('dim_org') }}
    where is_active
),

final as (
    select
        enrollments.*,
        case when enrollments.role = 'student' then enrollments.user_id end as student_id,
        case when enrollments.role = 'student' then enrollments.user_key end as student_key,
        {{ columns_where({
            'class_id': 'enrollments.class_key is not null and classes.class_key is null',
            'user_id': 'enrollments.user_key is not null and users.user_key is null',
            'org_id': 'enrollments.org_key is not null and orgs.org_key is null',
        }) }} as unresolved
    from enrollments
    left join classes on enrollments.class_key = classes.class_key
    left join users on enrollments.user_key = users.user_key
    left join orgs on enrollments.org_key = orgs.org_key
)

select * from final

-- One row per source and user: student, teacher, guardian or member of staff.
with users as (
    {{ with_presence(ref('stg_oneroster__users'), source('raw_oneroster', 'users'), 'oneroster/users', 'user_id') }}
),

orgs as (
    select org_key from {{ ref('stg_oneroster__orgs') }}
),

-- From 1.2 on a user's roles have a feed of their own; a primary one stands for the user.
main_roles as (
    select
        user_key,
        role,
        org_id,
        row_number() over (
            partition by user_key order by case when role_type = 'primary' then 0 else 1 end, role_key
        ) as preference
    from {{ ref('brg_user_role') }}
    where is_active
),

users_with_role as (
    select
        users.* exclude (role),
        concat_ws(' ', users.given_name, users.family_name) as name,
        coalesce(users.role, main_roles.role) as role,
        coalesce(users.primary_org_id, main_roles.org_id, users.org_ids[1]) as org_id
    from users
    left join main_roles on users.user_key = main_roles.user_key and main_roles.preference = 1
),

user_orgs as (
    select
        user_key,
        unnest(org_keys) as org_key
    from users
),

users_without_org as (
    select distinct user_orgs.user_key
    from user_orgs
    left join orgs on user_orgs.org_key = orgs.org_key
    where orgs.org_key is null
),

final as (
    select
        users_with_role.*,
        users_with_role.roster_source_id || ':' || users_with_role.org_id as org_key,
        {{ columns_where({
            'org_id': 'users_with_role.org_id is not null and orgs.org_key is null',
            'org_ids': 'users_without_org.user_key is not null',
        }) }} as unresolved
    from users_with_role
    left join orgs on users_with_role.roster_source_id || ':' || users_with_role.org_id = orgs.org_key
    left join users_without_org on users_with_role.user_key = users_without_org.user_key
)

select * from final

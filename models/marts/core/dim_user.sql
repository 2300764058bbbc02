-- One row per source and user: student, teacher, guardian or member of staff.
with users as (
    select * from {{ ref('stg_oneroster__users') }}
),

chosen_roles as (
    select * from {{ ref('int_user_roles_chosen') }}
),

orgs as (
    select * from {{ ref('stg_oneroster__orgs') }}
),

removed as (
    select * from {{ ref('int_records_removed') }}
    where feed = 'oneroster/users'
),

users_with_role as (
    select
        users.*,
        coalesce(users.role, chosen_roles.role) as main_role,
        coalesce(users.primary_org_id, chosen_roles.org_id, users.org_ids[1]) as org_id
    from users
    left join chosen_roles using (source_id, user_id)
),

final as (
    select
        users_with_role.source_id,
        users_with_role.user_id,
        concat_ws(' ', users_with_role.given_name, users_with_role.family_name) as name,
        users_with_role.given_name,
        users_with_role.middle_name,
        users_with_role.family_name,
        users_with_role.main_role as role,
        users_with_role.org_id,
        users_with_role.primary_org_id,
        users_with_role.org_ids,
        users_with_role.username,
        users_with_role.identifier,
        users_with_role.email,
        users_with_role.grades,
        users_with_role.is_enabled,
        removed.record_key is null as is_active,
        {{ columns_where({
            'org_id': 'users_with_role.org_id is not null and orgs.org_id is null',
        }) }} as awaiting,
        users_with_role.modified_at,
        users_with_role.exported_at,
        users_with_role.landed_at,
        users_with_role.visible_at,
        users_with_role.file_id,
        users_with_role.record_number,
        users_with_role.line_number
    from users_with_role
    left join removed
        on
            users_with_role.source_id = removed.source_id
            and users_with_role.user_id = removed.record_key
    left join orgs
        on
            users_with_role.roster_source_id = orgs.source_id
            and users_with_role.org_id = orgs.org_id
)

select * from final

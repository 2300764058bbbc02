-- One row per source and role: what a user is in an org.
with roles as (
    {{ with_presence(ref('stg_oneroster__roles'), source('raw_oneroster', 'roles'), 'oneroster/roles', 'role_id') }}
),

users as (
    select user_key from {{ with_live('stg_oneroster__users') }}
),

orgs as (
    select org_key from {{ with_live('dim_org') }}
    where is_active
),

final as (
    select
        roles.*,
        {{ columns_where({
            'user_id': 'users.user_key is null',
            'org_id': 'orgs.org_key is null',
        }) }} as unresolved
    from roles
    left join users on roles.user_key = users.user_key
    left join orgs on roles.org_key = orgs.org_key
)

select * from final

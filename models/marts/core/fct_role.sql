-- One row per source and role: what a user is in an org.
with roles as (
    select * from {{ ref('stg_oneroster__roles') }}
),

users as (
    select * from {{ ref('stg_oneroster__users') }}
),

orgs as (
    select * from {{ ref('stg_oneroster__orgs') }}
),

removed as (
    select * from {{ ref('int_records_removed') }}
    where feed = 'oneroster/roles'
),

final as (
    select
        roles.source_id,
        roles.role_id,
        roles.user_id,
        roles.org_id,
        roles.role_type,
        roles.role,
        roles.begin_date,
        roles.end_date,
        removed.record_key is null as is_active,
        {{ columns_where({
            'user_id': 'users.user_id is null',
            'org_id': 'orgs.org_id is null',
        }) }} as awaiting,
        roles.modified_at,
        roles.exported_at,
        roles.landed_at,
        roles.visible_at,
        roles.file_id,
        roles.record_number,
        roles.line_number
    from roles
    left join removed
        on
            roles.source_id = removed.source_id
            and roles.role_id = removed.record_key
    left join users
        on
            roles.roster_source_id = users.source_id
            and roles.user_id = users.user_id
    left join orgs
        on
            roles.roster_source_id = orgs.source_id
            and roles.org_id = orgs.org_id
)

select * from final

-- One row per source and user with roles of their own feed (1.2): the role that stands for the user.
with roles as (
    select * from {{ ref('stg_oneroster__roles') }}
),

removed as (
    select * from {{ ref('int_records_removed') }}
    where feed = 'oneroster/roles'
),

ranked as (
    select
        roles.source_id,
        roles.user_id,
        roles.role,
        roles.org_id,
        row_number() over (
            partition by roles.source_id, roles.user_id
            order by case when roles.role_type = 'primary' then 0 else 1 end, roles.role_id
        ) as preference
    from roles
    left join removed
        on roles.source_id = removed.source_id and roles.role_id = removed.record_key
    where removed.record_key is null
),

final as (
    select
        source_id,
        user_id,
        role,
        org_id
    from ranked
    where preference = 1
)

select * from final

-- One row per source and user: student, teacher, guardian or member of staff.
with users as (
    {{ with_presence(ref('stg_oneroster__users'), source('raw_oneroster', 'users'), 'oneroster/users', 'user_id') }}
    {{- and_of_canvas('int_roster_users__canvas') }}
),

orgs as (
    select * from {{ with_live('dim_org') }}
),

local_days as (
    select
        sources.source_id,
        {{ day_in_zone('cycles.as_of', 'sources.time_zone') }} as local_date
    from {{ ref('sources') }} as sources
    inner join {{ ref('stg_landing__cycles') }} as cycles on cycles.is_current
),

-- From 1.2 on a user's roles have a feed of their own; those count that have begun and are not over.
roles as (
    select roles.*
    from {{ ref('brg_user_role') }} as roles
    inner join local_days using (source_id)
    where
        roles.is_active
        and coalesce(roles.begin_date <= local_days.local_date, true)
        and coalesce(roles.end_date > local_days.local_date, true)
),

-- The org and the role that stand for a user do not hang on the order in which the source lists them.
places as (
    select
        *,
        role_type = 'primary' as is_primary
    from roles

    union all by name

    select
        user_key,
        unnest(org_ids) as org_id,
        unnest(org_keys) as org_key
    from users
),

ranked as (
    select
        places.*,
        not coalesce(orgs.is_active, false) as is_unresolved,
        row_number() over (
            partition by places.user_key
            order by
                coalesce(places.is_primary, false) desc, coalesce(orgs.org_type = 'school', false) desc,
                coalesce(places.begin_date, date '0001-01-01') desc,
                places.org_id asc, places.role_key asc
        ) as preference
    from places
    left join orgs on places.org_key = orgs.org_key
),

of_user as (
    select
        user_key,
        array_agg(distinct org_id order by org_id) as org_ids,
        array_agg(distinct org_key order by org_key) as org_keys,
        bool_or(is_unresolved) as has_unresolved_org
    from ranked
    group by user_key
),

with_place as (
    select
        users.* exclude (role, org_ids, org_keys),
        coalesce(nullif(users.org_ids, []), of_user.org_ids, []) as org_ids,
        coalesce(nullif(users.org_keys, []), of_user.org_keys, []) as org_keys,
        concat_ws(' ', users.given_name, users.family_name) as name,
        coalesce(users.role, main.role) as role,
        coalesce(users.primary_org_id, main.org_id) as org_id,
        coalesce(of_user.has_unresolved_org, false) as has_unresolved_org
    from users
    left join of_user on users.user_key = of_user.user_key
    left join ranked as main on users.user_key = main.user_key and main.preference = 1
),

final as (
    select
        with_place.*,
        with_place.roster_source_id || ':' || with_place.org_id as org_key,
        {{ columns_where({
            'role': 'with_place.role is null',
            'org_id': 'with_place.org_id is not null and not coalesce(orgs.is_active, false)',
            'org_ids': 'with_place.has_unresolved_org',
        }) }} as unresolved
    from with_place
    left join orgs on with_place.roster_source_id || ':' || with_place.org_id = orgs.org_key
)

select * exclude (has_unresolved_org) from final

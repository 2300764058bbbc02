-- One row per user of a roster of Canvas, in the shape of core.dim_user.
{{ config(materialized='ephemeral', enabled=is_used('canvas')) }}

-- Of several roles that of an enrollment that lasts, and the one that says most.
with roles as (
    select
        user_key,
        arg_min(
            role, (not is_active, list_position(['teacher', 'student', 'aide', 'guardian', 'administrator'], role))
        ) as role
    from {{ ref('int_roster_enrollments__canvas') }}
    where role is not null
    group by user_key
)

select
    {{ record_columns('users') }},
    users.user_id,
    users.user_key,
    coalesce(lower(users.status) = 'active', false) as is_enabled,
    users.login_id as username,
    coalesce(users.given_name, nullif(trim(split_part(users.sortable_name, ',', 2)), '')) as given_name,
    coalesce(
        users.family_name,
        case when users.sortable_name like '%,%' then trim(split_part(users.sortable_name, ',', 1)) end
    ) as family_name,
    users.email,
    cast([] as varchar[]) as grades,
    cast([] as varchar[]) as org_ids,
    cast([] as varchar[]) as org_keys,
    coalesce(
        case lower(users.declared_user_type)
            when 'student' then 'student'
            when 'student_other' then 'student'
            when 'teacher' then 'teacher'
            when 'observer' then 'guardian'
            when 'administrative' then 'administrator'
            when 'staff' then 'administrator'
        end,
        roles.role
    ) as role,
    {{ roster_state('users', {'deleted': 'deleted'}) }}
from {{ ref('dim_canvas_user') }} as users
left join roles on users.user_key = roles.user_key
where users.source_id in ({{ canvas_rosters() }})

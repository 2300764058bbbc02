-- One row per source and org: district, school or any other unit.
with orgs as (
    {{ with_presence(ref('stg_oneroster__orgs'), source('raw_oneroster', 'orgs'), 'oneroster/orgs', 'org_id') }}
),

active_orgs as (
    select org_key from orgs
    where is_active
),

final as (
    select
        orgs.*,
        {{ columns_where({
            'parent_org_id': 'orgs.parent_org_key is not null and parents.org_key is null',
        }) }} as unresolved
    from orgs
    left join active_orgs as parents on orgs.parent_org_key = parents.org_key
)

select * from final

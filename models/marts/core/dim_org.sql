-- One row per source and org: district, school or any other unit.
with orgs as (
    select * from {{ ref('stg_oneroster__orgs') }}
),

removed as (
    select * from {{ ref('int_records_removed') }}
    where feed = 'oneroster/orgs'
),

final as (
    select
        orgs.source_id,
        orgs.org_id,
        orgs.name,
        orgs.org_type,
        orgs.identifier,
        orgs.parent_org_id,
        removed.record_key is null as is_active,
        {{ columns_where({
            'parent_org_id': 'orgs.parent_org_id is not null and parents.org_id is null',
        }) }} as awaiting,
        orgs.modified_at,
        orgs.exported_at,
        orgs.landed_at,
        orgs.visible_at,
        orgs.file_id,
        orgs.record_number,
        orgs.line_number
    from orgs
    left join removed
        on orgs.source_id = removed.source_id and orgs.org_id = removed.record_key
    left join orgs as parents
        on orgs.roster_source_id = parents.source_id and orgs.parent_org_id = parents.org_id
)

select * from final

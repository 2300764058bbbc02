-- One row per record of an OneRoster orgs.csv file, layouts 1.1, 1.2 and 1.2.1.
{% set checks = oneroster_checks() + [
    required('name'),
    required('type'),
    allowed('type', [
        'department', 'district', 'local', 'national', 'school', 'state',
    ], allows_extension=true),
] %}

with records as (
    select * from {{ source('raw_oneroster', 'orgs') }}
    where split_part(layout_version, '-', 1) in ('1.1', '1.2', '1.2.1')
),

files as (
    select * from {{ ref('stg_landing__visible_files') }}
),

typed as (
    select
        {{ lineage() }},
        {{ text('sourcedId') }} as record_key,
        {{ text('sourcedId') }} as org_id,
        {{ text('name') }} as name,
        {{ text('type') }} as org_type,
        {{ text('identifier') }} as identifier,
        {{ text('parentSourcedId') }} as parent_org_id,
        {{ is_deletion('status') }} as is_deleted,
        {{ instant('dateLastModified') }} as modified_at,
        {{ is_rejected(checks) }} as is_rejected,
        {{ violations(checks) }} as violations
    from records
    inner join files using (file_id)
),

final as (
    select
        typed.*,
        {{ version_at('modified_at', 'exported_at') }} as version_at,
        {{ content_hash([
            'org_id', 'name', 'org_type', 'identifier', 'parent_org_id', 'is_deleted',
            'modified_at',
        ]) }} as content_hash
    from typed
)

select * from final

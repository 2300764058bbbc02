-- One row per record of an OneRoster roles.csv file, layouts 1.2 and 1.2.1.
{% set checks = oneroster_checks() + [
    required('userSourcedId'),
    required('roleType'),
    allowed('roleType', ['primary', 'secondary']),
    required('role'),
    allowed('role', [
        'aide', 'counselor', 'districtAdministrator', 'guardian', 'parent', 'principal',
        'proctor', 'relative', 'siteAdministrator', 'student', 'systemAdministrator',
        'teacher',
    ], allows_extension=true),
    readable('beginDate', 'date', refuses=false),
    readable('endDate', 'date', refuses=false),
    required('orgSourcedId'),
] %}

with records as (
    select * from {{ source('raw_oneroster', 'roles') }}
    where split_part(layout_version, '-', 1) in ('1.2', '1.2.1')
),

files as (
    select * from {{ ref('stg_landing__visible_files') }}
),

typed as (
    select
        {{ lineage() }},
        {{ text('sourcedId') }} as record_key,
        {{ text('sourcedId') }} as role_id,
        {{ text('userSourcedId') }} as user_id,
        {{ text('roleType') }} as role_type,
        {{ text('role') }} as role,
        {{ date('beginDate') }} as begin_date,
        {{ date('endDate') }} as end_date,
        {{ text('orgSourcedId') }} as org_id,
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
            'role_id', 'user_id', 'role_type', 'role', 'begin_date', 'end_date', 'org_id',
            'is_deleted', 'modified_at',
        ]) }} as content_hash
    from typed
)

select * from final

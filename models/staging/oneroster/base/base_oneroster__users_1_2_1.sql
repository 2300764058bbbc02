-- One row per record of an OneRoster users.csv file, layout 1.2.1.
{% set checks = oneroster_checks() + [
    required('enabledUser'),
    readable('enabledUser', 'boolean'),
    lower_case('enabledUser'),
    required('username'),
    required('givenName'),
    required('familyName'),
] %}

with records as (
    select * from {{ source('raw_oneroster', 'users') }}
    where split_part(layout_version, '-', 1) in ('1.2.1')
),

files as (
    select * from {{ ref('stg_landing__visible_files') }}
),

typed as (
    select
        {{ lineage() }},
        {{ text('sourcedId') }} as record_key,
        {{ text('sourcedId') }} as user_id,
        {{ boolean('enabledUser') }} as is_enabled,
        {{ text('username') }} as username,
        {{ text('givenName') }} as given_name,
        {{ text('middleName') }} as middle_name,
        {{ text('familyName') }} as family_name,
        {{ text('identifier') }} as identifier,
        {{ text('email') }} as email,
        {{ text_list('grades') }} as grades,
        cast(null as varchar) as role,
        cast(null as varchar[]) as org_ids,
        {{ text('primaryOrgSourcedId') }} as primary_org_id,
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
            'user_id', 'is_enabled', 'username', 'given_name', 'middle_name', 'family_name',
            'identifier', 'email', 'grades', 'role', 'org_ids', 'primary_org_id',
            'is_deleted', 'modified_at',
        ]) }} as content_hash
    from typed
)

select * from final

-- One row per record of an OneRoster users.csv file, whatever the version of its layout.
{% set roles = ['administrator', 'aide', 'guardian', 'parent', 'proctor', 'relative', 'student', 'teacher'] %}

with records as (
    {{ trimmed_records(source('raw_oneroster', 'users')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ text('sourcedId') }} as record_key,
        {{ text('sourcedId') }} as user_id,
        {{ own_key('sourcedId') }} as user_key,
        {{ boolean('enabledUser') }} as is_enabled,
        {{ text('username') }} as username,
        {{ text('givenName') }} as given_name,
        {{ text('middleName') }} as middle_name,
        {{ text('familyName') }} as family_name,
        {{ text('identifier') }} as identifier,
        {{ text('email') }} as email,
        {{ text_list('grades') }} as grades,
        {{ one_of('role', roles) }} as role,
        {{ text_list('orgSourcedIds') }} as org_ids,
        {{ roster_keys('orgSourcedIds') }} as org_keys,
        {{ text('primaryOrgSourcedId') }} as primary_org_id,
        {{ is_deletion('status') }} as is_deleted,
        {{ instant('dateLastModified') }} as modified_at,
        {{ oneroster_violations([
            required('enabledUser'),
            readable('enabledUser', 'boolean'),
            lower_case('enabledUser'),
            required('username'),
            required('givenName'),
            required('familyName'),
            required('role'),
            allowed('role', roles),
            required('orgSourcedIds'),
            comma_separated('orgSourcedIds'), comma_separated('grades'),
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    *,
    {{ is_rejected() }} as is_rejected,
    {{ content_hash() }} as content_hash
from typed

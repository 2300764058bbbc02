-- One row per record of an OneRoster roles.csv file, whatever the version of its layout.
{% set role_types = ['primary', 'secondary'] %}
{% set roles = [
    'aide', 'counselor', 'districtAdministrator', 'guardian', 'parent', 'principal', 'proctor', 'relative',
    'siteAdministrator', 'student', 'systemAdministrator', 'teacher',
] %}

with records as (
    {{ trimmed_records(source('raw_oneroster', 'roles')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ text('sourcedId') }} as record_key,
        {{ text('sourcedId') }} as role_id,
        {{ own_key('sourcedId') }} as role_key,
        {{ text('userSourcedId') }} as user_id,
        {{ roster_key('userSourcedId') }} as user_key,
        {{ one_of('roleType', role_types) }} as role_type,
        {{ one_of('role', roles) }} as role,
        {{ date('beginDate') }} as begin_date,
        {{ date('endDate') }} as end_date,
        {{ text('orgSourcedId') }} as org_id,
        {{ roster_key('orgSourcedId') }} as org_key,
        {{ is_deletion('status') }} as is_deleted,
        {{ instant('dateLastModified') }} as modified_at,
        {{ oneroster_violations([
            required('userSourcedId'),
            required('roleType'),
            allowed('roleType', role_types),
            required('role'),
            allowed('role', roles),
            readable('beginDate', 'date'),
            plausible('beginDate'),
            readable('endDate', 'date'),
            plausible('endDate'),
            in_order('beginDate', 'endDate'),
            required('orgSourcedId'),
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    *,
    {{ is_rejected() }} as is_rejected,
    {{ content_hash() }} as content_hash
from typed

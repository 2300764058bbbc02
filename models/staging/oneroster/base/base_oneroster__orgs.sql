-- One row per record of an OneRoster orgs.csv file, whatever the version of its layout.
{% set types = ['department', 'district', 'local', 'national', 'school', 'state'] %}

with records as (
    {{ trimmed_records(source('raw_oneroster', 'orgs')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ text('sourcedId') }} as record_key,
        {{ text('sourcedId') }} as org_id,
        {{ own_key('sourcedId') }} as org_key,
        {{ text('name') }} as name,
        {{ one_of('type', types) }} as org_type,
        {{ text('identifier') }} as identifier,
        {{ text('parentSourcedId') }} as parent_org_id,
        {{ roster_key('parentSourcedId') }} as parent_org_key,
        {{ is_deletion('status') }} as is_deleted,
        {{ instant('dateLastModified') }} as modified_at,
        {{ oneroster_violations([
            required('name'),
            required('type'),
            allowed('type', types),
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    *,
    {{ is_rejected() }} as is_rejected,
    {{ content_hash() }} as content_hash
from typed

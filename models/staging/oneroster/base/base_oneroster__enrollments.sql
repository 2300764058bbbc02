-- One row per record of an OneRoster enrollments.csv file, whatever the version of its layout.
{% set roles = ['administrator', 'aide', 'guardian', 'parent', 'proctor', 'relative', 'student', 'teacher'] %}

with records as (
    {{ trimmed_records(source('raw_oneroster', 'enrollments')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ text('sourcedId') }} as record_key,
        {{ text('sourcedId') }} as enrollment_id,
        {{ own_key('sourcedId') }} as enrollment_key,
        {{ text('classSourcedId') }} as class_id,
        {{ roster_key('classSourcedId') }} as class_key,
        {{ text('schoolSourcedId') }} as org_id,
        {{ roster_key('schoolSourcedId') }} as org_key,
        {{ text('userSourcedId') }} as user_id,
        {{ roster_key('userSourcedId') }} as user_key,
        {{ one_of('role', roles) }} as role,
        {{ boolean('primary') }} as is_primary,
        {{ date('beginDate') }} as begin_date,
        {{ date('endDate') }} as end_date,
        {{ is_deletion('status') }} as is_deleted,
        {{ instant('dateLastModified') }} as modified_at,
        {{ oneroster_violations([
            required('classSourcedId'),
            required('schoolSourcedId'),
            required('userSourcedId'),
            required('role'),
            allowed('role', roles),
            readable('primary', 'boolean'),
            lower_case('primary'),
            readable('beginDate', 'date'),
            plausible('beginDate'),
            readable('endDate', 'date'),
            plausible('endDate'),
            in_order('beginDate', 'endDate'),
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    *,
    {{ is_rejected() }} as is_rejected,
    {{ content_hash() }} as content_hash
from typed

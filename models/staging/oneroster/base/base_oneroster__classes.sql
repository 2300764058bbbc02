-- One row per record of an OneRoster classes.csv file, whatever the version of its layout.
{% set class_types = ['homeroom', 'scheduled'] %}

with records as (
    {{ trimmed_records(source('raw_oneroster', 'classes')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ text('sourcedId') }} as record_key,
        {{ text('sourcedId') }} as class_id,
        {{ own_key('sourcedId') }} as class_key,
        {{ text('title') }} as name,
        {{ text_list('grades') }} as grades,
        {{ text('courseSourcedId') }} as course_id,
        {{ roster_key('courseSourcedId') }} as course_key,
        {{ text('classCode') }} as class_code,
        {{ one_of('classType', class_types) }} as class_type,
        {{ text('location') }} as location,
        {{ text('schoolSourcedId') }} as org_id,
        {{ roster_key('schoolSourcedId') }} as org_key,
        {{ text_list('termSourcedIds') }} as term_ids,
        {{ roster_keys('termSourcedIds') }} as term_keys,
        {{ text_list('subjects') }} as subjects,
        {{ text_list('subjectCodes') }} as subject_codes,
        {{ text_list('periods') }} as periods,
        {{ is_deletion('status') }} as is_deleted,
        {{ instant('dateLastModified') }} as modified_at,
        {{ oneroster_violations([
            required('title'),
            required('courseSourcedId'),
            required('classType'),
            allowed('classType', class_types),
            required('schoolSourcedId'),
            required('termSourcedIds'),
            comma_separated('termSourcedIds'), comma_separated('grades'), comma_separated('periods'),
            comma_separated('subjects'), comma_separated('subjectCodes'),
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    *,
    {{ is_rejected() }} as is_rejected,
    {{ content_hash() }} as content_hash
from typed

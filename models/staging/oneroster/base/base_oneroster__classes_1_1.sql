-- One row per record of an OneRoster classes.csv file, layouts 1.1, 1.2 and 1.2.1.
{% set checks = oneroster_checks() + [
    required('title'),
    required('courseSourcedId'),
    required('classType'),
    allowed('classType', ['homeroom', 'scheduled'], allows_extension=true),
    required('schoolSourcedId'),
    required('termSourcedIds'),
] %}

with records as (
    select * from {{ source('raw_oneroster', 'classes') }}
    where split_part(layout_version, '-', 1) in ('1.1', '1.2', '1.2.1')
),

files as (
    select * from {{ ref('stg_landing__visible_files') }}
),

typed as (
    select
        {{ lineage() }},
        {{ text('sourcedId') }} as record_key,
        {{ text('sourcedId') }} as class_id,
        {{ text('title') }} as name,
        {{ text_list('grades') }} as grades,
        {{ text('courseSourcedId') }} as course_id,
        {{ text('classCode') }} as class_code,
        {{ text('classType') }} as class_type,
        {{ text('location') }} as location,
        {{ text('schoolSourcedId') }} as org_id,
        {{ text_list('termSourcedIds') }} as term_ids,
        {{ text_list('subjects') }} as subjects,
        {{ text_list('subjectCodes') }} as subject_codes,
        {{ text_list('periods') }} as periods,
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
            'class_id', 'name', 'grades', 'course_id', 'class_code', 'class_type',
            'location', 'org_id', 'term_ids', 'subjects', 'subject_codes', 'periods',
            'is_deleted', 'modified_at',
        ]) }} as content_hash
    from typed
)

select * from final

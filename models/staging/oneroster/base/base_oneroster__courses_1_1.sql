-- One row per record of an OneRoster courses.csv file, layouts 1.1, 1.2 and 1.2.1.
{% set checks = oneroster_checks() + [
    required('title'),
    required('orgSourcedId'),
] %}

with records as (
    select * from {{ source('raw_oneroster', 'courses') }}
    where split_part(layout_version, '-', 1) in ('1.1', '1.2', '1.2.1')
),

files as (
    select * from {{ ref('stg_landing__visible_files') }}
),

typed as (
    select
        {{ lineage() }},
        {{ text('sourcedId') }} as record_key,
        {{ text('sourcedId') }} as course_id,
        {{ text('schoolYearSourcedId') }} as school_year_term_id,
        {{ text('title') }} as name,
        {{ text('courseCode') }} as course_code,
        {{ text_list('grades') }} as grades,
        {{ text('orgSourcedId') }} as org_id,
        {{ text_list('subjects') }} as subjects,
        {{ text_list('subjectCodes') }} as subject_codes,
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
            'course_id', 'school_year_term_id', 'name', 'course_code', 'grades', 'org_id',
            'subjects', 'subject_codes', 'is_deleted', 'modified_at',
        ]) }} as content_hash
    from typed
)

select * from final

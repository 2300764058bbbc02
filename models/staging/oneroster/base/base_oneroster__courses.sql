-- One row per record of an OneRoster courses.csv file, whatever the version of its layout.
with records as (
    {{ trimmed_records(source('raw_oneroster', 'courses')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ text('sourcedId') }} as record_key,
        {{ text('sourcedId') }} as course_id,
        {{ own_key('sourcedId') }} as course_key,
        {{ text('schoolYearSourcedId') }} as school_year_term_id,
        {{ roster_key('schoolYearSourcedId') }} as school_year_term_key,
        {{ text('title') }} as name,
        {{ text('courseCode') }} as course_code,
        {{ text_list('grades') }} as grades,
        {{ text('orgSourcedId') }} as org_id,
        {{ roster_key('orgSourcedId') }} as org_key,
        {{ text_list('subjects') }} as subjects,
        {{ text_list('subjectCodes') }} as subject_codes,
        {{ is_deletion('status') }} as is_deleted,
        {{ instant('dateLastModified') }} as modified_at,
        {{ oneroster_violations([
            required('title'), required('orgSourcedId'),
            comma_separated('grades'), comma_separated('subjects'), comma_separated('subjectCodes'),
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    *,
    {{ is_rejected() }} as is_rejected,
    {{ content_hash() }} as content_hash
from typed

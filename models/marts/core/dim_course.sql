-- One row per source and course.
with courses as (
    select * from {{ ref('stg_oneroster__courses') }}
),

orgs as (
    select * from {{ ref('stg_oneroster__orgs') }}
),

terms as (
    select * from {{ ref('stg_oneroster__academic_sessions') }}
),

removed as (
    select * from {{ ref('int_records_removed') }}
    where feed = 'oneroster/courses'
),

final as (
    select
        courses.source_id,
        courses.course_id,
        courses.name,
        courses.course_code,
        courses.org_id,
        courses.school_year_term_id,
        courses.grades,
        courses.subjects,
        courses.subject_codes,
        removed.record_key is null as is_active,
        {{ columns_where({
            'org_id': 'courses.org_id is not null and orgs.org_id is null',
            'school_year_term_id': 'courses.school_year_term_id is not null and terms.term_id is null',
        }) }} as awaiting,
        courses.modified_at,
        courses.exported_at,
        courses.landed_at,
        courses.visible_at,
        courses.file_id,
        courses.record_number,
        courses.line_number
    from courses
    left join removed
        on courses.source_id = removed.source_id and courses.course_id = removed.record_key
    left join orgs
        on courses.roster_source_id = orgs.source_id and courses.org_id = orgs.org_id
    left join terms
        on courses.roster_source_id = terms.source_id and courses.school_year_term_id = terms.term_id
)

select * from final

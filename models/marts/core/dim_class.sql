-- One row per source and class: a section of a course.
with classes as (
    select * from {{ ref('stg_oneroster__classes') }}
),

courses as (
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
    where feed = 'oneroster/classes'
),

class_terms as (
    select
        source_id,
        roster_source_id,
        class_id,
        unnest(term_ids) as term_id
    from classes
),

classes_awaiting_terms as (
    select distinct
        class_terms.source_id,
        class_terms.class_id
    from class_terms
    left join terms
        on
            class_terms.roster_source_id = terms.source_id
            and class_terms.term_id = terms.term_id
    where terms.term_id is null
),

final as (
    select
        classes.source_id,
        classes.class_id,
        classes.name,
        classes.class_code,
        classes.class_type,
        classes.course_id,
        classes.org_id,
        classes.term_ids,
        classes.location,
        classes.grades,
        classes.subjects,
        classes.subject_codes,
        classes.periods,
        removed.record_key is null as is_active,
        {{ columns_where({
            'course_id': 'classes.course_id is not null and courses.course_id is null',
            'org_id': 'classes.org_id is not null and orgs.org_id is null',
            'term_ids': 'classes_awaiting_terms.class_id is not null',
        }) }} as awaiting,
        classes.modified_at,
        classes.exported_at,
        classes.landed_at,
        classes.visible_at,
        classes.file_id,
        classes.record_number,
        classes.line_number
    from classes
    left join removed
        on classes.source_id = removed.source_id and classes.class_id = removed.record_key
    left join courses
        on classes.roster_source_id = courses.source_id and classes.course_id = courses.course_id
    left join orgs
        on classes.roster_source_id = orgs.source_id and classes.org_id = orgs.org_id
    left join classes_awaiting_terms
        on
            classes.source_id = classes_awaiting_terms.source_id
            and classes.class_id = classes_awaiting_terms.class_id
)

select * from final

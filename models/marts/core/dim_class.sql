-- One row per source and class: a section of a course.
with classes as (
    {{ with_presence(
        ref('stg_oneroster__classes'), source('raw_oneroster', 'classes'), 'oneroster/classes', 'class_id'
    ) }}{{ and_of_canvas('int_roster_classes__canvas') }}
),

courses as (
    select course_key from {{ with_live('dim_course') }}
    where is_active
),

orgs as (
    select org_key from {{ with_live('dim_org') }}
    where is_active
),

class_terms as (
    select
        class_key,
        unnest(term_keys) as term_key
    from classes
),

classes_without_term as (
    select distinct class_terms.class_key
    from class_terms
    left join {{ with_live('dim_term') }} as terms
        on class_terms.term_key = terms.term_key and terms.is_active
    where terms.term_key is null
),

final as (
    select
        classes.*,
        {{ columns_where({
            'course_id': 'classes.course_key is not null and courses.course_key is null',
            'org_id': 'classes.org_key is not null and orgs.org_key is null',
            'term_ids': 'classes_without_term.class_key is not null',
        }) }} as unresolved
    from classes
    left join courses on classes.course_key = courses.course_key
    left join orgs on classes.org_key = orgs.org_key
    left join classes_without_term on classes.class_key = classes_without_term.class_key
)

select * from final

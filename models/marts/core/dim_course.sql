-- One row per source and course.
with courses as (
    {{ with_presence(
        ref('stg_oneroster__courses'), source('raw_oneroster', 'courses'), 'oneroster/courses', 'course_id'
    ) }}{{ and_of_canvas('int_roster_courses__canvas') }}
),

orgs as (
    select org_key from {{ with_live('dim_org') }}
    where is_active
),

terms as (
    select term_key from {{ with_live('dim_term') }}
    where is_active
),

final as (
    select
        courses.*,
        {{ columns_where({
            'org_id': 'courses.org_key is not null and orgs.org_key is null',
            'school_year_term_id': 'courses.school_year_term_key is not null and terms.term_key is null',
        }) }} as unresolved
    from courses
    left join orgs on courses.org_key = orgs.org_key
    left join terms on courses.school_year_term_key = terms.term_key
)

select * from final

-- One row per section of a roster of Canvas, and per course in which somebody is without a section.
{{ config(materialized='ephemeral', enabled=is_used('canvas')) }}

with courses as (
    select
        *,
        source_id || ':' || account_id as org_key,
        case when term_id is null then cast([] as varchar[]) else [term_id] end as term_ids,
        case when term_id is null then cast([] as varchar[]) else [source_id || ':' || term_id] end as term_keys
    from {{ ref('dim_canvas_course') }}
    where source_id in ({{ canvas_rosters() }})
),

sections as (
    select
        {{ record_columns('sections') }},
        sections.section_id as class_id,
        sections.name,
        sections.course_id,
        {{ roster_state('sections', {'deleted': 'deleted'}) }}
    from {{ ref('dim_canvas_section') }} as sections
    where sections.source_id in ({{ canvas_rosters() }})
),

-- Who is in a course without a section is in the one that Canvas made with the course; no file lists it.
without_section as (
    select distinct
        source_id,
        course_id
    from {{ ref('fct_canvas_enrollment') }}
    where section_id is null
),

default_sections as (
    select
        {{ record_columns('courses') }},
        courses.course_id || ':default' as class_id,
        coalesce(courses.long_name, courses.short_name) as name,
        courses.course_id,
        {{ roster_state('courses', {'deleted': 'deleted'}) }}
    from courses
    inner join without_section using (source_id, course_id)
),

classes as (
    select * from sections
    union all
    select * from default_sections
)

select
    classes.*,
    classes.source_id || ':' || classes.class_id as class_key,
    cast([] as varchar[]) as grades,
    classes.source_id || ':' || classes.course_id as course_key,
    'scheduled' as class_type,
    courses.account_id as org_id,
    courses.org_key,
    coalesce(courses.term_ids, []) as term_ids,
    coalesce(courses.term_keys, []) as term_keys,
    cast([] as varchar[]) as subjects,
    cast([] as varchar[]) as subject_codes,
    cast([] as varchar[]) as periods
from classes
left join courses on classes.source_id = courses.source_id and classes.course_id = courses.course_id

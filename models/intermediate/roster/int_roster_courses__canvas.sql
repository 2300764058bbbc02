-- One row per course of a roster of Canvas, in the shape of core.dim_course.
{{ config(materialized='ephemeral', enabled=is_used('canvas')) }}

select
    {{ record_columns('courses') }},
    courses.course_id,
    courses.course_key,
    coalesce(courses.long_name, courses.short_name) as name,
    courses.short_name as course_code,
    cast([] as varchar[]) as grades,
    courses.account_id as org_id,
    courses.source_id || ':' || courses.account_id as org_key,
    cast([] as varchar[]) as subjects,
    cast([] as varchar[]) as subject_codes,
    {{ roster_state('courses', {'deleted': 'deleted'}) }}
from {{ ref('dim_canvas_course') }} as courses
where courses.source_id in ({{ canvas_rosters() }})

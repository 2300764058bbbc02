-- One row per enrollment of a roster of Canvas, in the shape of core.fct_enrollment.
{{ config(materialized='ephemeral', enabled=is_used('canvas')) }}

with enrollments as (
    select
        enrollments.*,
        coalesce(enrollments.section_id, enrollments.course_id || ':default') as class_id,
        sources.time_zone
    from {{ ref('fct_canvas_enrollment') }} as enrollments
    inner join {{ ref('sources') }} as sources on enrollments.source_id = sources.source_id
    where enrollments.source_id in ({{ canvas_rosters() }})
)

select
    {{ record_columns('enrollments') }},
    enrollments.enrollment_id,
    enrollments.enrollment_key,
    enrollments.class_id,
    enrollments.source_id || ':' || enrollments.class_id as class_key,
    enrollments.user_id,
    enrollments.source_id || ':' || enrollments.user_id as user_key,
    {{ roster_role('enrollments.role') }} as role,
    {{ day_in_zone('enrollments.start_at', 'enrollments.time_zone') }} as begin_date,
    {{ event_day('enrollments.end_at', 'enrollments.time_zone') }} + 1 as end_date,
    {{ roster_state('enrollments', {
        'deleted': 'deleted', 'completed': 'completed', 'deleted_last_completed': 'completed', 'inactive': 'inactive',
    }) }}
from enrollments

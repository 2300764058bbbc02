-- One row per source and enrollment, as Canvas knows it.
{{ config(enabled=is_used('canvas')) }}

with enrollments as (
    {{ with_presence(
        ref('stg_canvas__enrollments'), source('raw_canvas', 'enrollments'),
        'canvas/enrollments', 'enrollment_id', canvas_enrollment_id()
    ) }}
)

select
    *,
    cast([] as varchar[]) as unresolved
from enrollments

-- One row per source, student, lesson, day, time and score: an attempt at a lesson of i-Ready.
{{ config(enabled=is_used('iready')) }}

with attempts as (
    {{ with_presence(
        ref('stg_iready__lessons'), source('raw_iready', 'lessons'),
        'iready/lessons', 'attempt_id', iready_lesson_id(), whole_by=('data_year', year('Academic Year'))
    ) }}
)

select
    *,
    cast([] as varchar[]) as unresolved
from attempts

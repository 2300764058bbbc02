-- One row per student and day of usable evidence on which the student was enrolled in anything.
{{ config(materialized='ephemeral') }}

-- Each day and each period once, since a source may have given one student the records of all.
with days as (
    select distinct
        evidence.student_key,
        {{ event_day('evidence.event_at', 'sources.time_zone') }} as event_day
    from {{ ref('fct_evidence') }} as evidence
    inner join {{ ref('sources') }} as sources on evidence.source_id = sources.source_id
    where evidence.disposition = 'usable'
),

periods as (
    select distinct
        student_key,
        begin_date,
        end_date
    from {{ with_live('fct_enrollment') }}
)

select distinct
    days.student_key,
    days.event_day
from days
inner join periods
    on
        days.student_key = periods.student_key
        and coalesce(days.event_day >= periods.begin_date, true)
        and coalesce(days.event_day < periods.end_date, true)

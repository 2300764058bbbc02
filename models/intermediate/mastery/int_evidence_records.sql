-- One row per record of a feed of evidence: how far it gets on the way to evidence, and why no farther.
{{ config(materialized='ephemeral') }}

with evidence as (
    select
        evidence.*,
        {{ event_day('evidence.event_at', 'sources.time_zone') }} as event_day
    from {{ ref('fct_evidence') }} as evidence
    left join {{ ref('sources') }} as sources on evidence.source_id = sources.source_id
),

administrations as (
    {%- if has_assessments() %}
    select
        result_key as evidence_key,
        data_year,
        term,
        school_name,
        assessment,
        subject
    from {{ ref('fct_assessment_result') }}
    {%- else %}
    select
        cast(null as varchar) as evidence_key,
        cast(null as integer) as data_year,
        cast(null as varchar) as term,
        cast(null as varchar) as school_name,
        cast(null as varchar) as assessment,
        cast(null as varchar) as subject
    where false
    {%- endif %}
),

enrolled as (
    select * from {{ ref('int_enrolled_days') }}
),

-- The steps are those of recon_coverage.
reached as (
    select
        evidence.source_id,
        evidence.feed,
        evidence.evidence_id,
        evidence.evidence_key,
        evidence.disposition,
        evidence.validity,
        evidence.identity,
        case
            when evidence.disposition in ('withdrawn', 'exempt', 'not_submitted', 'not_valid') then 3
            when evidence.student_key is null then 4
            when evidence.objective_id is null then 5
            when evidence.disposition <> 'usable' then 6
            when enrolled.student_key is null then 7
            else 8
        end as step_number
    from evidence
    left join enrolled
        on evidence.student_key = enrolled.student_key and evidence.event_day is not distinct from enrolled.event_day
),

explained as (
    select
        reached.*,
        case
            when reached.step_number = 3 and reached.disposition = 'not_valid' then reached.validity
            when reached.step_number = 4 then reached.identity
            when reached.step_number = 5 and reached.disposition <> 'unresolved_line_item' then 'no_objective'
            when reached.step_number = 7 then 'not_enrolled'
            when reached.step_number < 8 then reached.disposition
        end as reason
    from reached
),

-- Of a record whose parts get differently far, the part that gets farthest counts.
farthest as (
    select * from explained
    qualify row_number() over (
        partition by source_id, feed, evidence_id order by step_number desc, reason asc, evidence_key asc
    ) = 1
)

select
    farthest.source_id,
    farthest.feed,
    farthest.evidence_id,
    administrations.data_year,
    administrations.term,
    administrations.school_name,
    administrations.assessment,
    administrations.subject,
    farthest.step_number,
    farthest.reason
from farthest
left join administrations on farthest.evidence_key = administrations.evidence_key

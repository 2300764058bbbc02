-- One row per result of an assessment and objective: a level that its vendor asserts, or why it is no evidence.
{{ config(materialized='ephemeral', enabled=has_assessments()) }}

with results as (
    select * from {{ ref('fct_assessment_result') }}
),

current_cycle as (
    select * from {{ ref('stg_landing__cycles') }}
    where is_current
),

aligned as (
    select
        results.*,
        alignment.objective_id as aligned_objective_id,
        current_cycle.as_of
    from results
    cross join current_cycle
    left join {{ ref('objective_alignment') }} as alignment
        on
            alignment.aligned_kind = 'assessment'
            and results.source_id = alignment.source_id
            and results.aligned_id = alignment.aligned_id
),

judged as (
    select
        *,
        case
            when not is_active then 'withdrawn'
            when validity <> 'valid' then 'not_valid'
            when aligned_objective_id is null then 'no_objective'
            when not is_linked then 'unlinked'
            when level is null and percent is null then 'ungraded'
            when event_at is null then 'undated'
            when percent < 0 or percent > 200 then 'out_of_range'
            when usable_at > as_of then 'in_future'
            else 'usable'
        end as disposition
    from aligned
)

select
    source_id,
    roster_source_id,
    feed,
    result_key as evidence_key,
    result_id as evidence_id,
    case when percent is null then 'asserted_level' else 'scored' end as kind,
    case when disposition = 'usable' then cast(percent as decimal(18, 9)) end as percent,
    aligned_objective_id as objective_id,
    'declared' as alignment,
    case when is_linked then student_id end as student_id,
    case when is_linked then student_key end as student_key,
    identity,
    validity,
    level,
    level_scale as scale,
    event_at,
    event_precision,
    usable_at,
    version_at,
    exported_at,
    visible_at,
    file_id,
    record_number,
    line_number,
    disposition,
    {{ fingerprint([
        'result_key', 'aligned_objective_id', 'student_key', 'is_linked', 'percent', 'level', 'level_scale', 'event_at', 'version_at', 'visible_at',
        'disposition',
    ]) }} as evidence_fingerprint
from judged

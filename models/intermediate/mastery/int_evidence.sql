-- One row per piece of evidence: what one source says of one student and one objective, used or ignored.
{{ config(materialized='view') }}

with results as (
    select * from {{ ref('int_oneroster_results_weighed') }}
),

final as (
    select
        source_id,
        'oneroster/results' as feed,
        result_id as evidence_id,
        roster_source_id,
        student_id,
        objective_id,
        alignment,
        class_id,
        course_id,
        percent,
        cast(null as varchar) as asserted_state,
        event_at,
        'date' as event_precision,
        version_at,
        exported_at,
        visible_at,
        file_id,
        record_number,
        line_number,
        ignored_reason,
        evidence_fingerprint
    from results
)

select * from final

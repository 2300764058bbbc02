-- One row per student, objective and cut-off at which what was recorded changed: before and after.
{{ config(materialized='view') }}

with recorded as (
    {{ recorded(ref('snap_mastery'), ref('int_mastery_hashed')) }}
),

closed as (
    select * from recorded
    where dbt_valid_to is not null
),

final as (
    select
        coalesce(after.dbt_valid_from, before.dbt_valid_to) as changed_at,
        coalesce(after.roster_source_id, before.roster_source_id) as roster_source_id,
        coalesce(after.student_id, before.student_id) as student_id,
        coalesce(after.objective_id, before.objective_id) as objective_id,
        before.evidence_count as evidence_count_before,
        after.evidence_count as evidence_count_after,
        before.score_percent as score_percent_before,
        after.score_percent as score_percent_after,
        before.threshold_percent as threshold_percent_before,
        after.threshold_percent as threshold_percent_after,
        before.automatic_state as automatic_state_before,
        after.automatic_state as automatic_state_after,
        before.override_action as override_action_before,
        after.override_action as override_action_after,
        before.state as state_before,
        after.state as state_after,
        before.is_completed as is_completed_before,
        after.is_completed as is_completed_after,
        {{ change_of_evidence('before', 'after') }} as evidence_reason,
        {{ change_of_override('before', 'after') }} as override_reason
    from closed as before
    full join recorded as after
        on
            before.roster_source_id = after.roster_source_id
            and before.student_id = after.student_id
            and before.objective_id = after.objective_id
            and before.dbt_valid_to = after.dbt_valid_from
)

select * from final

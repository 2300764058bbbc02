-- One row per student and objective with evidence: the rule in force and the percents it counts, in order.
{{ config(
    materialized='incremental',
    pre_hook="{{ forget_outdated(this, ref('int_student_inputs'), rows_expire=true) }}",
) }}

with evidence as (
    select * from {{ ref('int_evidence') }}
    where objective_id is not null
    {% if is_incremental() %}
        and (roster_source_id, student_id) in (
            select roster_source_id, student_id from {{ ref('int_student_inputs') }}
            anti join {{ this }} using (inputs_fingerprint)
        )
    {% endif %}
),

students as (
    select * from {{ ref('int_student_inputs') }}
),

rules as (
    select * from {{ ref('int_mastery_rules_in_force') }}
),

bounds as (
    select * from {{ ref('int_cycle_bounded') }}
),

subjects as (
    select
        roster_source_id,
        student_id,
        objective_id,
        {{ usable_evidence() }} as usable,
        max(course_id) as any_course_id,
        count(*) filter (ignored_reason in ('withdrawn', 'line_item_withdrawn')) as withdrawn_count,
        count(*) filter (ignored_reason is not null) as ignored_count,
        max(visible_at) as evidence_visible_at
    from evidence
    group by roster_source_id, student_id, objective_id
),

placed as (
    select
        subjects.*,
        students.org_id,
        students.inputs_fingerprint,
        coalesce({{ field_of('subjects.usable[-1]', 'course_id') }}, subjects.any_course_id) as course_id
    from subjects
    inner join students using (roster_source_id, student_id)
),

ruled as (
    select
        placed.*,
        coalesce(of_objective.rule_key, of_course.rule_key, of_org.rule_key, of_district.rule_key) as rule_key
    from placed
    left join rules as of_objective
        on of_objective.scope = 'objective' and placed.objective_id = of_objective.scope_id
    left join rules as of_course on of_course.scope = 'course' and placed.course_id = of_course.scope_id
    left join rules as of_org on of_org.scope = 'org' and placed.org_id = of_org.scope_id
    left join rules as of_district on of_district.scope = 'district'
),

judged as (
    select
        ruled.*,
        rules.maximum_age_days,
        case
            when rules.maximum_age_days is null then ruled.usable
            else {{ young_enough('ruled.usable') }}
        end as counted
    from ruled
    cross join bounds
    left join rules using (rule_key)
),

final as (
    select
        roster_source_id,
        student_id,
        objective_id,
        course_id,
        org_id,
        rule_key,
        inputs_fingerprint,
        {{ items_of('counted', 'percent') }} as percents,
        {{ items_where(items_of('counted', 'asserted_state'), 'item is not null') }} as asserted_states,
        coalesce(len(counted), 0) as evidence_count,
        coalesce(len(usable), 0) - coalesce(len(counted), 0) as expired_count,
        withdrawn_count,
        ignored_count,
        {{ field_of('counted[-1]', 'event_at') }} as last_evidence_at,
        evidence_visible_at,
        {{ days_after(field_of('counted[1]', 'event_at'), 'maximum_age_days') }} as expires_at
    from judged
)

select * from final

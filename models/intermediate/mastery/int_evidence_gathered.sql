-- One row per student and objective with evidence: the rule in force and the percents it counts, in order.
{{ config(
    materialized='incremental',
    unique_key=['roster_source_id', 'student_id'],
    post_hook="delete from {{ this }} where (roster_source_id, student_id) not in (select roster_source_id, student_id from {{ ref('int_student_inputs') }})",
) }}

with students as (
    select * from {{ ref('int_student_inputs') }}
    {% if is_incremental() %}
    where (roster_source_id, student_id) in ({{ students_to_evaluate(this) }})
    {% endif %}
),

evidence as (
    select
        evidence.*,
        students.org_id,
        students.inputs_fingerprint
    from {{ ref('int_evidence') }} as evidence
    inner join students using (roster_source_id, student_id)
    where evidence.objective_id is not null
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
        max(org_id) as org_id,
        max_by(course_id, ({{ evidence_order() }})) as course_id,
        max(inputs_fingerprint) as inputs_fingerprint
    from evidence
    group by roster_source_id, student_id, objective_id
),

ruled as (
    select
        subjects.*,
        coalesce(of_objective.rule_key, of_course.rule_key, of_org.rule_key, of_district.rule_key) as rule_key
    from subjects
    left join rules as of_objective
        on of_objective.scope = 'objective' and subjects.objective_id = of_objective.scope_id
    left join rules as of_course on of_course.scope = 'course' and subjects.course_id = of_course.scope_id
    left join rules as of_org on of_org.scope = 'org' and subjects.org_id = of_org.scope_id
    left join rules as of_district on of_district.scope = 'district'
),

judged as (
    select
        evidence.*,
        ruled.course_id as rule_course_id,
        ruled.rule_key,
        rules.maximum_age_days,
        coalesce(
            evidence.event_at < {{ days_before('bounds.as_of', 'rules.maximum_age_days') }}, false
        ) as is_too_old
    from evidence
    inner join ruled using (roster_source_id, student_id, objective_id)
    cross join bounds
    left join rules on ruled.rule_key = rules.rule_key
),

final as (
    select
        roster_source_id,
        student_id,
        objective_id,
        rule_course_id as course_id,
        org_id,
        rule_key,
        inputs_fingerprint,
        array_agg(percent order by {{ evidence_order() }}) filter ({{ counts() }}) as percents,
        array_agg(asserted_state order by {{ evidence_order() }}) filter (
            {{ counts() }} and asserted_state is not null
        ) as asserted_states,
        count(*) filter ({{ counts() }}) as evidence_count,
        count(*) filter (ignored_reason is null and is_too_old) as expired_count,
        count(*) filter (ignored_reason in ('withdrawn', 'line_item_withdrawn')) as withdrawn_count,
        count(*) filter (ignored_reason is not null) as ignored_count,
        max(event_at) filter ({{ counts() }}) as last_evidence_at,
        max(visible_at) as evidence_visible_at,
        min({{ days_after('event_at', 'maximum_age_days') }}) filter ({{ counts() }}) as expires_at,
        {{ fingerprint_of_all('evidence_fingerprint') }} as evidence_fingerprint
    from judged
    group by roster_source_id, student_id, objective_id, rule_course_id, org_id, rule_key, inputs_fingerprint
)

select * from final

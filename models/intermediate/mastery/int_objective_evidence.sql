-- One row per student and objective with evidence: the rule that applies and the percents it counts, in order.
{{ add_where_inputs_changed('int_student_inputs', rows_expire=true) }}

with students as (
    {{ changed_inputs(ref('int_student_inputs')) }}
),

evidence as (
    select * from {{ deciding_evidence() }}
    where objective_id is not null and student_key in (select students.student_key from students)
),

rules as (
    select * from {{ ref('int_current_rules') }}
),

current_cycle as (
    select * from {{ ref('stg_landing__cycles') }}
    where is_current
),

by_objective as (
    select
        student_key,
        objective_id,
        {{ usable_evidence() }} as usable,
        max(course_id) as any_course_id,
        count(case when disposition in ('withdrawn', 'line_item_withdrawn') then 1 end) as withdrawn_count,
        count(case when disposition <> 'usable' then 1 end) as ignored_count,
        max(visible_at) as evidence_visible_at
    from evidence
    group by student_key, objective_id
),

placed as (
    select
        by_objective.*,
        students.* exclude (student_key),
        coalesce(by_objective.usable[-1].course_id, by_objective.any_course_id) as course_id
    from by_objective
    inner join students using (student_key)
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

of_method as (
    select
        ruled.* exclude (usable),
        rules.maximum_age_days,
        rules.level_states,
        {{ counted_by_method('ruled.usable') }} as usable
    from ruled
    left join rules using (rule_key)
),

counted as (
    select
        of_method.*,
        case
            when of_method.maximum_age_days is null then of_method.usable
            else {{ young_enough('of_method.usable', 'of_method.maximum_age_days', 'current_cycle.as_of') }}
        end as counted
    from of_method
    cross join current_cycle
),

final as (
    select
        counted.student_key,
        counted.roster_source_id,
        counted.student_id,
        counted.objective_id,
        counted.course_id,
        counted.org_id,
        counted.rule_key,
        counted.inputs_fingerprint,
        list_transform(counted.counted, lambda item: item.percent) as percents,
        {{ asserted_levels('counted.counted', 'counted.level_states') }} as asserted_levels,
        coalesce(len(counted.counted), 0) as evidence_count,
        coalesce(len(counted.usable), 0) - coalesce(len(counted.counted), 0) as expired_count,
        counted.withdrawn_count,
        counted.ignored_count,
        counted.counted[-1].event_at as last_evidence_at,
        list_sort(list_distinct(list_transform(counted.counted, lambda item: item.source_id))) as source_ids,
        counted.evidence_visible_at,
        counted.counted[1].event_at + to_days(counted.maximum_age_days) as expires_at
    from counted
)

select * from final

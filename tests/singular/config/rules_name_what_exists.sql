-- Finds: rows of the rules whose org, course or objective no export knows, or whose method no export serves.
-- Matters: a rule for something misspelled holds for nothing, and nobody notices.
-- Do: correct the id in the row that the sentence names, or remove the row. A path of a course that no export
-- knows enrolls nobody and does no harm; it is named once, and its steps are not looked at.
{{ config(severity='warn', store_failures=true) }}

with objectives as (
    select unnest(objective_ids) as objective_id from {{ ref('int_line_item_objectives') }}
    union distinct
    select objective_id from {{ ref('fct_result_objective_score') }}
    {%- if has_assessments() %}
    union distinct
    select objective_id from {{ ref('fct_assessment_result') }}
    {%- endif %}
),

courses as (
    select distinct course_id from {{ ref('dim_course') }}
),

named as (
    select
        'mastery_rules.csv, rule ' || rule_id as place,
        scope as kind,
        scope_id as id
    from {{ ref('mastery_rules') }}
    where scope <> 'district'
    union all
    select
        'learning_paths.csv, path ' || paths.path_id || ' step ' || paths.step_number as place,
        'objective' as kind,
        paths.objective_id as id
    from {{ ref('learning_paths') }} as paths
    inner join courses using (course_id)
    union all
    select distinct
        'learning_paths.csv, path ' || path_id || ', on which nobody is enrolled' as place,
        'course' as kind,
        course_id as id
    from {{ ref('learning_paths') }}
    union all
    select
        'objective_alignment.csv, objective ' || objective_id as place,
        aligned_kind as kind,
        aligned_id as id
    from {{ ref('objective_alignment') }}
),

known as (
    select
        'org' as kind,
        org_id as id
    from {{ ref('dim_org') }}
    union distinct
    select
        'course' as kind,
        course_id as id
    from courses
    union distinct
    select
        'class' as kind,
        class_id as id
    from {{ ref('dim_class') }}
    union distinct
    select
        'objective' as kind,
        objective_id as id
    from objectives
    union distinct
    select
        'line_item' as kind,
        line_item_id as id
    from {{ ref('dim_line_item') }}
    {%- if has_assessments() %}
    union distinct
    select
        'assessment' as kind,
        aligned_id as id
    from {{ ref('fct_assessment_result') }}
    {%- endif %}
)

select
    named.kind,
    named.id,
    concat('seeds/rules/', named.place, ': no export knows the ', named.kind, ' ', named.id, '.') as remedy
from named
left join known on named.kind = known.kind and named.id = known.id
where known.id is null

union all

select
    'method' as kind,
    rules.method as id,
    'seeds/rules/mastery_rules.csv, rule ' || rules.rule_id || ': no level means a state, which the method '
    || rules.method || ' takes; say in level_states.csv what levels mean, or choose one that takes scores.' as remedy
from {{ ref('mastery_rules') }} as rules
left join {{ ref('level_states') }} as levels on rules.rule_id = levels.rule_id or levels.rule_id is null
where rules.method = 'asserted' and levels.state is null

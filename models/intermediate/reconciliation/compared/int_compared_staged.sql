-- One row per row of staging whose key differs without a reason: what does it hold? Written by `rollcall layouts
-- compare`.
-- noqa: disable=LT05
{{ config(materialized='table') }}

with doubts as (
    select distinct
        feed,
        source_id,
        record_key
    from {{ ref('int_differences_explained') }}
    where reason = 'unexplained'
)

select
    cast(null as varchar) as feed,
    cast(null as varchar) as source_id,
    cast(null as varchar) as record_key,
    cast(null as struct("column" varchar, staged_value varchar)[]) as staged_values
where false

{% if reads_oneroster() %}
union all

select
    'oneroster/academic_sessions' as feed,
    staged.source_id,
    staged.term_id as record_key,
    [
        { 'column': 'modified_at', 'staged_value': cast(staged.modified_at as varchar) },
        { 'column': 'name', 'staged_value': staged.name },
        { 'column': 'term_type', 'staged_value': staged.term_type },
        { 'column': 'start_date', 'staged_value': cast(staged.start_date as varchar) },
        { 'column': 'end_date', 'staged_value': cast(staged.end_date as varchar) },
        { 'column': 'parent_term_id', 'staged_value': staged.parent_term_id },
        { 'column': 'school_year', 'staged_value': cast(staged.school_year as varchar) }
    ] as staged_values
from {{ ref('stg_oneroster__academic_sessions') }} as staged
inner join doubts
    on
        doubts.feed = 'oneroster/academic_sessions'
        and staged.source_id = doubts.source_id
        and staged.term_id = doubts.record_key

union all

select
    'oneroster/categories' as feed,
    staged.source_id,
    staged.category_id as record_key,
    [
        { 'column': 'modified_at', 'staged_value': cast(staged.modified_at as varchar) },
        { 'column': 'name', 'staged_value': staged.name },
        { 'column': 'weight', 'staged_value': cast(staged.weight as varchar) }
    ] as staged_values
from {{ ref('stg_oneroster__categories') }} as staged
inner join doubts
    on
        doubts.feed = 'oneroster/categories'
        and staged.source_id = doubts.source_id
        and staged.category_id = doubts.record_key

union all

select
    'oneroster/classes' as feed,
    staged.source_id,
    staged.class_id as record_key,
    [
        { 'column': 'modified_at', 'staged_value': cast(staged.modified_at as varchar) },
        { 'column': 'name', 'staged_value': staged.name },
        { 'column': 'grades', 'staged_value': nullif(array_to_string(staged.grades, ','), '') },
        { 'column': 'course_id', 'staged_value': staged.course_id },
        { 'column': 'class_code', 'staged_value': staged.class_code },
        { 'column': 'class_type', 'staged_value': staged.class_type },
        { 'column': 'location', 'staged_value': staged.location },
        { 'column': 'org_id', 'staged_value': staged.org_id },
        { 'column': 'term_ids', 'staged_value': nullif(array_to_string(staged.term_ids, ','), '') },
        { 'column': 'subjects', 'staged_value': nullif(array_to_string(staged.subjects, ','), '') },
        { 'column': 'subject_codes', 'staged_value': nullif(array_to_string(staged.subject_codes, ','), '') },
        { 'column': 'periods', 'staged_value': nullif(array_to_string(staged.periods, ','), '') }
    ] as staged_values
from {{ ref('stg_oneroster__classes') }} as staged
inner join doubts
    on
        doubts.feed = 'oneroster/classes'
        and staged.source_id = doubts.source_id
        and staged.class_id = doubts.record_key

union all

select
    'oneroster/courses' as feed,
    staged.source_id,
    staged.course_id as record_key,
    [
        { 'column': 'modified_at', 'staged_value': cast(staged.modified_at as varchar) },
        { 'column': 'school_year_term_id', 'staged_value': staged.school_year_term_id },
        { 'column': 'name', 'staged_value': staged.name },
        { 'column': 'course_code', 'staged_value': staged.course_code },
        { 'column': 'grades', 'staged_value': nullif(array_to_string(staged.grades, ','), '') },
        { 'column': 'org_id', 'staged_value': staged.org_id },
        { 'column': 'subjects', 'staged_value': nullif(array_to_string(staged.subjects, ','), '') },
        { 'column': 'subject_codes', 'staged_value': nullif(array_to_string(staged.subject_codes, ','), '') }
    ] as staged_values
from {{ ref('stg_oneroster__courses') }} as staged
inner join doubts
    on
        doubts.feed = 'oneroster/courses'
        and staged.source_id = doubts.source_id
        and staged.course_id = doubts.record_key

union all

select
    'oneroster/enrollments' as feed,
    staged.source_id,
    staged.enrollment_id as record_key,
    [
        { 'column': 'class_id', 'staged_value': staged.class_id },
        { 'column': 'org_id', 'staged_value': staged.org_id },
        { 'column': 'user_id', 'staged_value': staged.user_id },
        { 'column': 'role', 'staged_value': staged.role },
        { 'column': 'modified_at', 'staged_value': cast(staged.modified_at as varchar) },
        { 'column': 'is_primary', 'staged_value': cast(staged.is_primary as varchar) },
        { 'column': 'begin_date', 'staged_value': cast(staged.begin_date as varchar) },
        { 'column': 'end_date', 'staged_value': cast(staged.end_date as varchar) }
    ] as staged_values
from {{ ref('stg_oneroster__enrollments') }} as staged
inner join doubts
    on
        doubts.feed = 'oneroster/enrollments'
        and staged.source_id = doubts.source_id
        and staged.enrollment_id = doubts.record_key

union all

select
    'oneroster/line_item_learning_objective_ids' as feed,
    staged.source_id,
    staged.line_item_objective_id as record_key,
    [
        { 'column': 'modified_at', 'staged_value': cast(staged.modified_at as varchar) },
        { 'column': 'line_item_id', 'staged_value': staged.line_item_id },
        { 'column': 'objective_source', 'staged_value': staged.objective_source },
        { 'column': 'objective_id', 'staged_value': staged.objective_id }
    ] as staged_values
from {{ ref('stg_oneroster__line_item_learning_objective_ids') }} as staged
inner join doubts
    on
        doubts.feed = 'oneroster/line_item_learning_objective_ids'
        and staged.source_id = doubts.source_id
        and staged.line_item_objective_id = doubts.record_key

union all

select
    'oneroster/line_items' as feed,
    staged.source_id,
    staged.line_item_id as record_key,
    [
        { 'column': 'modified_at', 'staged_value': cast(staged.modified_at as varchar) },
        { 'column': 'name', 'staged_value': staged.name },
        { 'column': 'assign_date', 'staged_value': cast(staged.assign_date as varchar) },
        { 'column': 'due_date', 'staged_value': cast(staged.due_date as varchar) },
        { 'column': 'class_id', 'staged_value': staged.class_id },
        { 'column': 'category_id', 'staged_value': staged.category_id },
        { 'column': 'term_id', 'staged_value': staged.term_id },
        { 'column': 'score_min', 'staged_value': cast(staged.score_min as varchar) },
        { 'column': 'score_max', 'staged_value': cast(staged.score_max as varchar) },
        { 'column': 'org_id', 'staged_value': staged.org_id }
    ] as staged_values
from {{ ref('stg_oneroster__line_items') }} as staged
inner join doubts
    on
        doubts.feed = 'oneroster/line_items'
        and staged.source_id = doubts.source_id
        and staged.line_item_id = doubts.record_key

union all

select
    'oneroster/orgs' as feed,
    staged.source_id,
    staged.org_id as record_key,
    [
        { 'column': 'modified_at', 'staged_value': cast(staged.modified_at as varchar) },
        { 'column': 'name', 'staged_value': staged.name },
        { 'column': 'org_type', 'staged_value': staged.org_type },
        { 'column': 'identifier', 'staged_value': staged.identifier },
        { 'column': 'parent_org_id', 'staged_value': staged.parent_org_id }
    ] as staged_values
from {{ ref('stg_oneroster__orgs') }} as staged
inner join doubts
    on
        doubts.feed = 'oneroster/orgs'
        and staged.source_id = doubts.source_id
        and staged.org_id = doubts.record_key

union all

select
    'oneroster/result_learning_objective_ids' as feed,
    staged.source_id,
    staged.result_objective_id as record_key,
    [
        { 'column': 'modified_at', 'staged_value': cast(staged.modified_at as varchar) },
        { 'column': 'result_id', 'staged_value': staged.result_id },
        { 'column': 'objective_source', 'staged_value': staged.objective_source },
        { 'column': 'objective_id', 'staged_value': staged.objective_id },
        { 'column': 'score', 'staged_value': cast(staged.score as varchar) },
        { 'column': 'text_score', 'staged_value': staged.text_score }
    ] as staged_values
from {{ ref('stg_oneroster__result_learning_objective_ids') }} as staged
inner join doubts
    on
        doubts.feed = 'oneroster/result_learning_objective_ids'
        and staged.source_id = doubts.source_id
        and staged.result_objective_id = doubts.record_key

union all

select
    'oneroster/results' as feed,
    staged.source_id,
    staged.result_id as record_key,
    [
        { 'column': 'modified_at', 'staged_value': cast(staged.modified_at as varchar) },
        { 'column': 'line_item_id', 'staged_value': staged.line_item_id },
        { 'column': 'student_id', 'staged_value': staged.student_id },
        { 'column': 'score_status', 'staged_value': staged.score_status },
        { 'column': 'score', 'staged_value': cast(staged.score as varchar) },
        { 'column': 'score_date', 'staged_value': cast(staged.score_date as varchar) },
        { 'column': 'text_score', 'staged_value': staged.text_score },
        { 'column': 'class_id', 'staged_value': staged.class_id },
        { 'column': 'is_in_progress', 'staged_value': cast(staged.is_in_progress as varchar) },
        { 'column': 'is_incomplete', 'staged_value': cast(staged.is_incomplete as varchar) },
        { 'column': 'is_late', 'staged_value': cast(staged.is_late as varchar) },
        { 'column': 'is_missing', 'staged_value': cast(staged.is_missing as varchar) }
    ] as staged_values
from {{ ref('stg_oneroster__results') }} as staged
inner join doubts
    on
        doubts.feed = 'oneroster/results'
        and staged.source_id = doubts.source_id
        and staged.result_id = doubts.record_key

union all

select
    'oneroster/roles' as feed,
    staged.source_id,
    staged.role_id as record_key,
    [
        { 'column': 'modified_at', 'staged_value': cast(staged.modified_at as varchar) },
        { 'column': 'user_id', 'staged_value': staged.user_id },
        { 'column': 'role_type', 'staged_value': staged.role_type },
        { 'column': 'role', 'staged_value': staged.role },
        { 'column': 'begin_date', 'staged_value': cast(staged.begin_date as varchar) },
        { 'column': 'end_date', 'staged_value': cast(staged.end_date as varchar) },
        { 'column': 'org_id', 'staged_value': staged.org_id }
    ] as staged_values
from {{ ref('stg_oneroster__roles') }} as staged
inner join doubts
    on
        doubts.feed = 'oneroster/roles'
        and staged.source_id = doubts.source_id
        and staged.role_id = doubts.record_key

union all

select
    'oneroster/users' as feed,
    staged.source_id,
    staged.user_id as record_key,
    [
        { 'column': 'modified_at', 'staged_value': cast(staged.modified_at as varchar) },
        { 'column': 'org_ids', 'staged_value': nullif(array_to_string(staged.org_ids, ','), '') },
        { 'column': 'role', 'staged_value': staged.role },
        { 'column': 'username', 'staged_value': staged.username },
        { 'column': 'given_name', 'staged_value': staged.given_name },
        { 'column': 'family_name', 'staged_value': staged.family_name },
        { 'column': 'identifier', 'staged_value': staged.identifier },
        { 'column': 'email', 'staged_value': staged.email },
        { 'column': 'is_enabled', 'staged_value': cast(staged.is_enabled as varchar) },
        { 'column': 'middle_name', 'staged_value': staged.middle_name },
        { 'column': 'grades', 'staged_value': nullif(array_to_string(staged.grades, ','), '') },
        { 'column': 'primary_org_id', 'staged_value': staged.primary_org_id }
    ] as staged_values
from {{ ref('stg_oneroster__users') }} as staged
inner join doubts
    on
        doubts.feed = 'oneroster/users'
        and staged.source_id = doubts.source_id
        and staged.user_id = doubts.record_key

{% endif %}

{% if is_used('overrides') %}
union all

select
    'overrides/mastery_overrides' as feed,
    staged.source_id,
    staged.override_id as record_key,
    [
        { 'column': 'modified_at', 'staged_value': cast(staged.modified_at as varchar) },
        { 'column': 'student_id', 'staged_value': staged.student_id },
        { 'column': 'objective_id', 'staged_value': staged.objective_id },
        { 'column': 'action', 'staged_value': staged.action },
        { 'column': 'state', 'staged_value': staged.state },
        { 'column': 'effective_at', 'staged_value': cast(staged.effective_at as varchar) },
        { 'column': 'teacher_id', 'staged_value': staged.teacher_id },
        { 'column': 'reason', 'staged_value': staged.reason }
    ] as staged_values
from {{ ref('stg_overrides__mastery_overrides') }} as staged
inner join doubts
    on
        doubts.feed = 'overrides/mastery_overrides'
        and staged.source_id = doubts.source_id
        and staged.override_id = doubts.record_key
{% endif %}

{% if is_used('nwea') %}
union all

select
    'nwea/assessment_results' as feed,
    staged.source_id,
    replace(staged.term_name, '|', '||') || ' | ' || replace(staged.student_id, '|', '||') || ' | ' || replace(staged.test_name, '|', '||') || ' | ' || replace(cast(staged.test_date as varchar), '|', '||') || ' | ' || replace(cast(staged.test_time as varchar), '|', '||') as record_key,
    [
        { 'column': 'school_name', 'staged_value': staged.school_name },
        { 'column': 'course', 'staged_value': staged.course },
        { 'column': 'subject', 'staged_value': staged.subject },
        { 'column': 'is_growth_measure', 'staged_value': cast(staged.is_growth_measure as varchar) },
        { 'column': 'test_type', 'staged_value': staged.test_type },
        { 'column': 'test_id', 'staged_value': staged.test_id },
        { 'column': 'rit_score', 'staged_value': cast(staged.rit_score as varchar) },
        { 'column': 'standard_error', 'staged_value': cast(staged.standard_error as varchar) },
        { 'column': 'percentile', 'staged_value': cast(staged.percentile as varchar) },
        { 'column': 'lexile_score', 'staged_value': staged.lexile_score },
        { 'column': 'goal_1_name', 'staged_value': staged.goal_1_name },
        { 'column': 'goal_1_rit_score', 'staged_value': cast(staged.goal_1_rit_score as varchar) },
        { 'column': 'goal_1_adjective', 'staged_value': staged.goal_1_adjective },
        { 'column': 'goal_2_name', 'staged_value': staged.goal_2_name },
        { 'column': 'goal_2_rit_score', 'staged_value': cast(staged.goal_2_rit_score as varchar) },
        { 'column': 'goal_2_adjective', 'staged_value': staged.goal_2_adjective },
        { 'column': 'goal_3_name', 'staged_value': staged.goal_3_name },
        { 'column': 'goal_3_rit_score', 'staged_value': cast(staged.goal_3_rit_score as varchar) },
        { 'column': 'goal_3_adjective', 'staged_value': staged.goal_3_adjective },
        { 'column': 'goal_4_name', 'staged_value': staged.goal_4_name },
        { 'column': 'goal_4_rit_score', 'staged_value': cast(staged.goal_4_rit_score as varchar) },
        { 'column': 'goal_4_adjective', 'staged_value': staged.goal_4_adjective },
        { 'column': 'goal_5_name', 'staged_value': staged.goal_5_name },
        { 'column': 'goal_5_rit_score', 'staged_value': cast(staged.goal_5_rit_score as varchar) },
        { 'column': 'goal_5_adjective', 'staged_value': staged.goal_5_adjective },
        { 'column': 'goal_6_name', 'staged_value': staged.goal_6_name },
        { 'column': 'goal_6_rit_score', 'staged_value': cast(staged.goal_6_rit_score as varchar) },
        { 'column': 'goal_6_adjective', 'staged_value': staged.goal_6_adjective },
        { 'column': 'goal_7_name', 'staged_value': staged.goal_7_name },
        { 'column': 'goal_7_rit_score', 'staged_value': cast(staged.goal_7_rit_score as varchar) },
        { 'column': 'goal_7_adjective', 'staged_value': staged.goal_7_adjective },
        { 'column': 'goal_8_name', 'staged_value': staged.goal_8_name },
        { 'column': 'goal_8_rit_score', 'staged_value': cast(staged.goal_8_rit_score as varchar) },
        { 'column': 'goal_8_adjective', 'staged_value': staged.goal_8_adjective },
        { 'column': 'percent_correct', 'staged_value': cast(staged.percent_correct as varchar) },
        { 'column': 'student_state_id', 'staged_value': staged.student_state_id },
        { 'column': 'norms_reference', 'staged_value': staged.norms_reference },
        { 'column': 'quintile', 'staged_value': staged.quintile },
        { 'column': 'quantile_score', 'staged_value': staged.quantile_score },
        { 'column': 'family_name', 'staged_value': staged.family_name },
        { 'column': 'given_name', 'staged_value': staged.given_name },
        { 'column': 'birth_date', 'staged_value': cast(staged.birth_date as varchar) },
        { 'column': 'grade', 'staged_value': staged.grade }
    ] as staged_values
from {{ ref('stg_nwea__assessment_results') }} as staged
inner join doubts
    on
        doubts.feed = 'nwea/assessment_results'
        and staged.source_id = doubts.source_id
        and replace(staged.term_name, '|', '||') || ' | ' || replace(staged.student_id, '|', '||') || ' | ' || replace(staged.test_name, '|', '||') || ' | ' || replace(cast(staged.test_date as varchar), '|', '||') || ' | ' || replace(cast(staged.test_time as varchar), '|', '||') = doubts.record_key
union all

select
    'nwea/students' as feed,
    staged.source_id,
    replace(staged.term_name, '|', '||') || ' | ' || replace(staged.school_name, '|', '||') || ' | ' || replace(staged.student_id, '|', '||') as record_key,
    [
        { 'column': 'family_name', 'staged_value': staged.family_name },
        { 'column': 'given_name', 'staged_value': staged.given_name },
        { 'column': 'birth_date', 'staged_value': cast(staged.birth_date as varchar) },
        { 'column': 'grade', 'staged_value': staged.grade }
    ] as staged_values
from {{ ref('stg_nwea__students') }} as staged
inner join doubts
    on
        doubts.feed = 'nwea/students'
        and staged.source_id = doubts.source_id
        and replace(staged.term_name, '|', '||') || ' | ' || replace(staged.school_name, '|', '||') || ' | ' || replace(staged.student_id, '|', '||') = doubts.record_key
{% endif %}

{% if is_used('iready') %}
union all

select
    'iready/diagnostic_ela' as feed,
    staged.source_id,
    replace(staged.student_id, '|', '||') || ' | ' || replace(cast(staged.start_date as varchar), '|', '||') || ' | ' || replace(cast(staged.completion_date as varchar), '|', '||') as record_key,
    [
        { 'column': 'family_name', 'staged_value': staged.family_name },
        { 'column': 'given_name', 'staged_value': staged.given_name },
        { 'column': 'grade', 'staged_value': staged.grade },
        { 'column': 'data_year', 'staged_value': cast(staged.data_year as varchar) },
        { 'column': 'school_name', 'staged_value': staged.school_name },
        { 'column': 'baseline_code', 'staged_value': staged.baseline_code },
        { 'column': 'most_recent_code', 'staged_value': staged.most_recent_code },
        { 'column': 'duration_minutes', 'staged_value': cast(staged.duration_minutes as varchar) },
        { 'column': 'rush_flag', 'staged_value': staged.rush_flag },
        { 'column': 'overall_scale_score', 'staged_value': cast(staged.overall_scale_score as varchar) },
        { 'column': 'overall_placement', 'staged_value': staged.overall_placement },
        { 'column': 'overall_relative_placement', 'staged_value': staged.overall_relative_placement },
        { 'column': 'percentile', 'staged_value': cast(staged.percentile as varchar) },
        { 'column': 'lexile_measure', 'staged_value': staged.lexile_measure },
        { 'column': 'phonological_awareness_scale_score', 'staged_value': cast(staged.phonological_awareness_scale_score as varchar) },
        { 'column': 'phonological_awareness_placement', 'staged_value': staged.phonological_awareness_placement },
        { 'column': 'phonological_awareness_relative_placement', 'staged_value': staged.phonological_awareness_relative_placement },
        { 'column': 'phonics_scale_score', 'staged_value': cast(staged.phonics_scale_score as varchar) },
        { 'column': 'phonics_placement', 'staged_value': staged.phonics_placement },
        { 'column': 'phonics_relative_placement', 'staged_value': staged.phonics_relative_placement },
        { 'column': 'high_frequency_words_scale_score', 'staged_value': cast(staged.high_frequency_words_scale_score as varchar) },
        { 'column': 'high_frequency_words_placement', 'staged_value': staged.high_frequency_words_placement },
        { 'column': 'high_frequency_words_relative_placement', 'staged_value': staged.high_frequency_words_relative_placement },
        { 'column': 'vocabulary_scale_score', 'staged_value': cast(staged.vocabulary_scale_score as varchar) },
        { 'column': 'vocabulary_placement', 'staged_value': staged.vocabulary_placement },
        { 'column': 'vocabulary_relative_placement', 'staged_value': staged.vocabulary_relative_placement },
        { 'column': 'literature_scale_score', 'staged_value': cast(staged.literature_scale_score as varchar) },
        { 'column': 'literature_placement', 'staged_value': staged.literature_placement },
        { 'column': 'literature_relative_placement', 'staged_value': staged.literature_relative_placement },
        { 'column': 'informational_text_scale_score', 'staged_value': cast(staged.informational_text_scale_score as varchar) },
        { 'column': 'informational_text_placement', 'staged_value': staged.informational_text_placement },
        { 'column': 'informational_text_relative_placement', 'staged_value': staged.informational_text_relative_placement },
        { 'column': 'student_state_id', 'staged_value': staged.student_state_id },
        { 'column': 'norming_window', 'staged_value': staged.norming_window },
        { 'column': 'comprehension_scale_score', 'staged_value': cast(staged.comprehension_scale_score as varchar) },
        { 'column': 'comprehension_placement', 'staged_value': staged.comprehension_placement },
        { 'column': 'comprehension_relative_placement', 'staged_value': staged.comprehension_relative_placement }
    ] as staged_values
from {{ ref('stg_iready__diagnostic_ela') }} as staged
inner join doubts
    on
        doubts.feed = 'iready/diagnostic_ela'
        and staged.source_id = doubts.source_id
        and replace(staged.student_id, '|', '||') || ' | ' || replace(cast(staged.start_date as varchar), '|', '||') || ' | ' || replace(cast(staged.completion_date as varchar), '|', '||') = doubts.record_key
union all

select
    'iready/diagnostic_math' as feed,
    staged.source_id,
    replace(staged.student_id, '|', '||') || ' | ' || replace(cast(staged.start_date as varchar), '|', '||') || ' | ' || replace(cast(staged.completion_date as varchar), '|', '||') as record_key,
    [
        { 'column': 'family_name', 'staged_value': staged.family_name },
        { 'column': 'given_name', 'staged_value': staged.given_name },
        { 'column': 'grade', 'staged_value': staged.grade },
        { 'column': 'data_year', 'staged_value': cast(staged.data_year as varchar) },
        { 'column': 'school_name', 'staged_value': staged.school_name },
        { 'column': 'baseline_code', 'staged_value': staged.baseline_code },
        { 'column': 'most_recent_code', 'staged_value': staged.most_recent_code },
        { 'column': 'duration_minutes', 'staged_value': cast(staged.duration_minutes as varchar) },
        { 'column': 'rush_flag', 'staged_value': staged.rush_flag },
        { 'column': 'overall_scale_score', 'staged_value': cast(staged.overall_scale_score as varchar) },
        { 'column': 'overall_placement', 'staged_value': staged.overall_placement },
        { 'column': 'overall_relative_placement', 'staged_value': staged.overall_relative_placement },
        { 'column': 'percentile', 'staged_value': cast(staged.percentile as varchar) },
        { 'column': 'quantile_measure', 'staged_value': staged.quantile_measure },
        { 'column': 'number_and_operations_scale_score', 'staged_value': cast(staged.number_and_operations_scale_score as varchar) },
        { 'column': 'number_and_operations_placement', 'staged_value': staged.number_and_operations_placement },
        { 'column': 'number_and_operations_relative_placement', 'staged_value': staged.number_and_operations_relative_placement },
        { 'column': 'algebra_scale_score', 'staged_value': cast(staged.algebra_scale_score as varchar) },
        { 'column': 'algebra_placement', 'staged_value': staged.algebra_placement },
        { 'column': 'algebra_relative_placement', 'staged_value': staged.algebra_relative_placement },
        { 'column': 'measurement_and_data_scale_score', 'staged_value': cast(staged.measurement_and_data_scale_score as varchar) },
        { 'column': 'measurement_and_data_placement', 'staged_value': staged.measurement_and_data_placement },
        { 'column': 'measurement_and_data_relative_placement', 'staged_value': staged.measurement_and_data_relative_placement },
        { 'column': 'geometry_scale_score', 'staged_value': cast(staged.geometry_scale_score as varchar) },
        { 'column': 'geometry_placement', 'staged_value': staged.geometry_placement },
        { 'column': 'geometry_relative_placement', 'staged_value': staged.geometry_relative_placement },
        { 'column': 'student_state_id', 'staged_value': staged.student_state_id },
        { 'column': 'norming_window', 'staged_value': staged.norming_window }
    ] as staged_values
from {{ ref('stg_iready__diagnostic_math') }} as staged
inner join doubts
    on
        doubts.feed = 'iready/diagnostic_math'
        and staged.source_id = doubts.source_id
        and replace(staged.student_id, '|', '||') || ' | ' || replace(cast(staged.start_date as varchar), '|', '||') || ' | ' || replace(cast(staged.completion_date as varchar), '|', '||') = doubts.record_key
union all

select
    'iready/lessons' as feed,
    staged.source_id,
    replace(staged.student_id, '|', '||') || ' | ' || replace(staged.lesson_id, '|', '||') || ' | ' || replace(cast(staged.completion_date as varchar), '|', '||') || ' | ' || replace(cast(staged.total_minutes as varchar), '|', '||') || ' | ' || replace(cast(staged.score_percent as varchar), '|', '||') as record_key,
    [
        { 'column': 'family_name', 'staged_value': staged.family_name },
        { 'column': 'given_name', 'staged_value': staged.given_name },
        { 'column': 'grade', 'staged_value': staged.grade },
        { 'column': 'data_year', 'staged_value': cast(staged.data_year as varchar) },
        { 'column': 'school_name', 'staged_value': staged.school_name },
        { 'column': 'subject', 'staged_value': staged.subject },
        { 'column': 'domain', 'staged_value': staged.domain },
        { 'column': 'lesson_level', 'staged_value': staged.lesson_level },
        { 'column': 'lesson_name', 'staged_value': staged.lesson_name },
        { 'column': 'lesson_objective', 'staged_value': staged.lesson_objective },
        { 'column': 'passed_code', 'staged_value': staged.passed_code },
        { 'column': 'teacher_assigned_code', 'staged_value': staged.teacher_assigned_code }
    ] as staged_values
from {{ ref('stg_iready__lessons') }} as staged
inner join doubts
    on
        doubts.feed = 'iready/lessons'
        and staged.source_id = doubts.source_id
        and replace(staged.student_id, '|', '||') || ' | ' || replace(staged.lesson_id, '|', '||') || ' | ' || replace(cast(staged.completion_date as varchar), '|', '||') || ' | ' || replace(cast(staged.total_minutes as varchar), '|', '||') || ' | ' || replace(cast(staged.score_percent as varchar), '|', '||') = doubts.record_key
{% endif %}

{% if is_used('star') %}
union all

select
    'star/overall' as feed,
    staged.source_id,
    staged.assessment_id as record_key,
    [
        { 'column': 'data_year', 'staged_value': cast(staged.data_year as varchar) },
        { 'column': 'student_vendor_id', 'staged_value': staged.student_vendor_id },
        { 'column': 'student_sourced_id', 'staged_value': staged.student_sourced_id },
        { 'column': 'student_id', 'staged_value': staged.student_id },
        { 'column': 'student_user_id', 'staged_value': staged.student_user_id },
        { 'column': 'student_state_id', 'staged_value': staged.student_state_id },
        { 'column': 'given_name', 'staged_value': staged.given_name },
        { 'column': 'family_name', 'staged_value': staged.family_name },
        { 'column': 'grade', 'staged_value': staged.grade },
        { 'column': 'school_name', 'staged_value': staged.school_name },
        { 'column': 'event_at', 'staged_value': cast(staged.event_at as varchar) },
        { 'column': 'assessment_type', 'staged_value': staged.assessment_type },
        { 'column': 'assessment_status', 'staged_value': staged.assessment_status },
        { 'column': 'deactivation_reason', 'staged_value': staged.deactivation_reason },
        { 'column': 'scaled_score', 'staged_value': cast(staged.scaled_score as varchar) },
        { 'column': 'standard_error', 'staged_value': cast(staged.standard_error as varchar) },
        { 'column': 'unified_score', 'staged_value': cast(staged.unified_score as varchar) },
        { 'column': 'percentile', 'staged_value': cast(staged.percentile as varchar) },
        { 'column': 'lexile_measure', 'staged_value': staged.lexile_measure },
        { 'column': 'screening_window', 'staged_value': staged.screening_window },
        { 'column': 'vendor_benchmark', 'staged_value': staged.vendor_benchmark },
        { 'column': 'state_benchmark', 'staged_value': staged.state_benchmark },
        { 'column': 'state_proficient_code', 'staged_value': staged.state_proficient_code },
        { 'column': 'district_benchmark', 'staged_value': staged.district_benchmark },
        { 'column': 'taken_at', 'staged_value': staged.taken_at }
    ] as staged_values
from {{ ref('stg_star__overall') }} as staged
inner join doubts
    on
        doubts.feed = 'star/overall'
        and staged.source_id = doubts.source_id
        and staged.assessment_id = doubts.record_key
union all

select
    'star/standards' as feed,
    staged.source_id,
    replace(staged.assessment_id, '|', '||') || ' | ' || replace(staged.standard_name, '|', '||') as record_key,
    [
        { 'column': 'data_year', 'staged_value': cast(staged.data_year as varchar) },
        { 'column': 'student_vendor_id', 'staged_value': staged.student_vendor_id },
        { 'column': 'student_sourced_id', 'staged_value': staged.student_sourced_id },
        { 'column': 'student_id', 'staged_value': staged.student_id },
        { 'column': 'student_user_id', 'staged_value': staged.student_user_id },
        { 'column': 'student_state_id', 'staged_value': staged.student_state_id },
        { 'column': 'event_at', 'staged_value': cast(staged.event_at as varchar) },
        { 'column': 'domain_group', 'staged_value': staged.domain_group },
        { 'column': 'domain_name', 'staged_value': staged.domain_name },
        { 'column': 'domain_percent', 'staged_value': cast(staged.domain_percent as varchar) },
        { 'column': 'standard_description', 'staged_value': staged.standard_description },
        { 'column': 'percent_mastery', 'staged_value': cast(staged.percent_mastery as varchar) },
        { 'column': 'confidence', 'staged_value': staged.confidence },
        { 'column': 'mastery_level', 'staged_value': staged.mastery_level }
    ] as staged_values
from {{ ref('stg_star__standards') }} as staged
inner join doubts
    on
        doubts.feed = 'star/standards'
        and staged.source_id = doubts.source_id
        and replace(staged.assessment_id, '|', '||') || ' | ' || replace(staged.standard_name, '|', '||') = doubts.record_key
union all

select
    'star/skill_area' as feed,
    staged.source_id,
    replace(staged.assessment_id, '|', '||') || ' | ' || replace(staged.skill_area_name, '|', '||') as record_key,
    [
        { 'column': 'data_year', 'staged_value': cast(staged.data_year as varchar) },
        { 'column': 'student_vendor_id', 'staged_value': staged.student_vendor_id },
        { 'column': 'student_sourced_id', 'staged_value': staged.student_sourced_id },
        { 'column': 'student_id', 'staged_value': staged.student_id },
        { 'column': 'student_user_id', 'staged_value': staged.student_user_id },
        { 'column': 'student_state_id', 'staged_value': staged.student_state_id },
        { 'column': 'event_at', 'staged_value': cast(staged.event_at as varchar) },
        { 'column': 'family', 'staged_value': staged.family },
        { 'column': 'domain_name', 'staged_value': staged.domain_name },
        { 'column': 'domain_score', 'staged_value': cast(staged.domain_score as varchar) },
        { 'column': 'mastery_score', 'staged_value': cast(staged.mastery_score as varchar) }
    ] as staged_values
from {{ ref('stg_star__skill_area') }} as staged
inner join doubts
    on
        doubts.feed = 'star/skill_area'
        and staged.source_id = doubts.source_id
        and replace(staged.assessment_id, '|', '||') || ' | ' || replace(staged.skill_area_name, '|', '||') = doubts.record_key
{% endif %}

{% if is_used('canvas') %}
union all

select
    'canvas/outcome_results' as feed,
    staged.source_id,
    replace(staged.student_id, '|', '||') || ' | ' || coalesce(replace(staged.student_sis_id, '|', '||'), '') || ' | ' || replace(staged.assessment_id, '|', '||') || ' | ' || replace(staged.assessment_type, '|', '||') || ' | ' || replace(staged.outcome_id, '|', '||') || ' | ' || coalesce(replace(staged.question_id, '|', '||'), '') as record_key,
    [
        { 'column': 'student_name', 'staged_value': staged.student_name },
        { 'column': 'assessment_title', 'staged_value': staged.assessment_title },
        { 'column': 'submitted_at', 'staged_value': cast(staged.submitted_at as varchar) },
        { 'column': 'submission_score', 'staged_value': cast(staged.submission_score as varchar) },
        { 'column': 'outcome_name', 'staged_value': staged.outcome_name },
        { 'column': 'attempt', 'staged_value': cast(staged.attempt as varchar) },
        { 'column': 'outcome_score', 'staged_value': cast(staged.outcome_score as varchar) },
        { 'column': 'question_title', 'staged_value': staged.question_title },
        { 'column': 'course_name', 'staged_value': staged.course_name },
        { 'column': 'course_id', 'staged_value': staged.course_id },
        { 'column': 'course_sis_id', 'staged_value': staged.course_sis_id },
        { 'column': 'assignment_url', 'staged_value': staged.assignment_url },
        { 'column': 'outcome_friendly_name', 'staged_value': staged.outcome_friendly_name },
        { 'column': 'points_possible', 'staged_value': cast(staged.points_possible as varchar) },
        { 'column': 'mastery_points', 'staged_value': cast(staged.mastery_points as varchar) },
        { 'column': 'mastered_code', 'staged_value': staged.mastered_code },
        { 'column': 'rating', 'staged_value': staged.rating },
        { 'column': 'rating_points', 'staged_value': cast(staged.rating_points as varchar) }
    ] as staged_values
from {{ ref('stg_canvas__outcome_results') }} as staged
inner join doubts
    on
        doubts.feed = 'canvas/outcome_results'
        and staged.source_id = doubts.source_id
        and replace(staged.student_id, '|', '||') || ' | ' || coalesce(replace(staged.student_sis_id, '|', '||'), '') || ' | ' || replace(staged.assessment_id, '|', '||') || ' | ' || replace(staged.assessment_type, '|', '||') || ' | ' || replace(staged.outcome_id, '|', '||') || ' | ' || coalesce(replace(staged.question_id, '|', '||'), '') = doubts.record_key
union all

select
    'canvas/student_competency' as feed,
    staged.source_id,
    replace(staged.student_id, '|', '||') || ' | ' || coalesce(replace(staged.student_sis_id, '|', '||'), '') || ' | ' || replace(staged.assignment_id, '|', '||') || ' | ' || replace(staged.outcome_id, '|', '||') as record_key,
    [
        { 'column': 'student_name', 'staged_value': staged.student_name },
        { 'column': 'assignment_title', 'staged_value': staged.assignment_title },
        { 'column': 'submitted_at', 'staged_value': cast(staged.submitted_at as varchar) },
        { 'column': 'submission_score', 'staged_value': cast(staged.submission_score as varchar) },
        { 'column': 'outcome_name', 'staged_value': staged.outcome_name },
        { 'column': 'attempt', 'staged_value': cast(staged.attempt as varchar) },
        { 'column': 'outcome_score', 'staged_value': cast(staged.outcome_score as varchar) },
        { 'column': 'course_name', 'staged_value': staged.course_name },
        { 'column': 'course_id', 'staged_value': staged.course_id },
        { 'column': 'course_sis_id', 'staged_value': staged.course_sis_id },
        { 'column': 'assignment_url', 'staged_value': staged.assignment_url },
        { 'column': 'outcome_friendly_name', 'staged_value': staged.outcome_friendly_name },
        { 'column': 'points_possible', 'staged_value': cast(staged.points_possible as varchar) },
        { 'column': 'mastery_points', 'staged_value': cast(staged.mastery_points as varchar) },
        { 'column': 'mastered_code', 'staged_value': staged.mastered_code },
        { 'column': 'rating', 'staged_value': staged.rating },
        { 'column': 'rating_points', 'staged_value': cast(staged.rating_points as varchar) }
    ] as staged_values
from {{ ref('stg_canvas__student_competency') }} as staged
inner join doubts
    on
        doubts.feed = 'canvas/student_competency'
        and staged.source_id = doubts.source_id
        and replace(staged.student_id, '|', '||') || ' | ' || coalesce(replace(staged.student_sis_id, '|', '||'), '') || ' | ' || replace(staged.assignment_id, '|', '||') || ' | ' || replace(staged.outcome_id, '|', '||') = doubts.record_key
union all

select
    'canvas/gradebook' as feed,
    staged.source_id,
    replace(staged.student_id, '|', '||') || ' | ' || replace(staged.assignment_id, '|', '||') as record_key,
    [
        { 'column': 'student_name', 'staged_value': staged.student_name },
        { 'column': 'student_sis_id', 'staged_value': staged.student_sis_id },
        { 'column': 'student_login', 'staged_value': staged.student_login },
        { 'column': 'section_names', 'staged_value': staged.section_names },
        { 'column': 'assignment_title', 'staged_value': staged.assignment_title },
        { 'column': 'cell', 'staged_value': staged.cell },
        { 'column': 'points_cell', 'staged_value': staged.points_cell }
    ] as staged_values
from {{ ref('stg_canvas__gradebook') }} as staged
inner join doubts
    on
        doubts.feed = 'canvas/gradebook'
        and staged.source_id = doubts.source_id
        and replace(staged.student_id, '|', '||') || ' | ' || replace(staged.assignment_id, '|', '||') = doubts.record_key
union all

select
    'canvas/users' as feed,
    staged.source_id,
    staged.user_id as record_key,
    [
        { 'column': 'login_id', 'staged_value': staged.login_id },
        { 'column': 'given_name', 'staged_value': staged.given_name },
        { 'column': 'family_name', 'staged_value': staged.family_name },
        { 'column': 'full_name', 'staged_value': staged.full_name },
        { 'column': 'sortable_name', 'staged_value': staged.sortable_name },
        { 'column': 'email', 'staged_value': staged.email },
        { 'column': 'declared_user_type', 'staged_value': staged.declared_user_type },
        { 'column': 'status', 'staged_value': staged.status }
    ] as staged_values
from {{ ref('stg_canvas__users') }} as staged
inner join doubts
    on
        doubts.feed = 'canvas/users'
        and staged.source_id = doubts.source_id
        and staged.user_id = doubts.record_key
union all

select
    'canvas/courses' as feed,
    staged.source_id,
    staged.course_id as record_key,
    [
        { 'column': 'short_name', 'staged_value': staged.short_name },
        { 'column': 'long_name', 'staged_value': staged.long_name },
        { 'column': 'account_id', 'staged_value': staged.account_id },
        { 'column': 'term_id', 'staged_value': staged.term_id },
        { 'column': 'status', 'staged_value': staged.status },
        { 'column': 'start_at', 'staged_value': cast(staged.start_at as varchar) },
        { 'column': 'end_at', 'staged_value': cast(staged.end_at as varchar) }
    ] as staged_values
from {{ ref('stg_canvas__courses') }} as staged
inner join doubts
    on
        doubts.feed = 'canvas/courses'
        and staged.source_id = doubts.source_id
        and staged.course_id = doubts.record_key
union all

select
    'canvas/sections' as feed,
    staged.source_id,
    staged.section_id as record_key,
    [
        { 'column': 'course_id', 'staged_value': staged.course_id },
        { 'column': 'name', 'staged_value': staged.name },
        { 'column': 'status', 'staged_value': staged.status },
        { 'column': 'start_at', 'staged_value': cast(staged.start_at as varchar) },
        { 'column': 'end_at', 'staged_value': cast(staged.end_at as varchar) }
    ] as staged_values
from {{ ref('stg_canvas__sections') }} as staged
inner join doubts
    on
        doubts.feed = 'canvas/sections'
        and staged.source_id = doubts.source_id
        and staged.section_id = doubts.record_key
union all

select
    'canvas/enrollments' as feed,
    staged.source_id,
    coalesce(replace(staged.course_id, '|', '||'), '') || ' | ' || replace(staged.user_id, '|', '||') || ' | ' || coalesce(replace(staged.role, '|', '||'), '') || ' | ' || coalesce(replace(staged.role_id, '|', '||'), '') || ' | ' || coalesce(replace(staged.section_id, '|', '||'), '') || ' | ' || coalesce(replace(staged.observed_user_id, '|', '||'), '') as record_key,
    [
        { 'column': 'start_at', 'staged_value': cast(staged.start_at as varchar) },
        { 'column': 'end_at', 'staged_value': cast(staged.end_at as varchar) },
        { 'column': 'status', 'staged_value': staged.status }
    ] as staged_values
from {{ ref('stg_canvas__enrollments') }} as staged
inner join doubts
    on
        doubts.feed = 'canvas/enrollments'
        and staged.source_id = doubts.source_id
        and coalesce(replace(staged.course_id, '|', '||'), '') || ' | ' || replace(staged.user_id, '|', '||') || ' | ' || coalesce(replace(staged.role, '|', '||'), '') || ' | ' || coalesce(replace(staged.role_id, '|', '||'), '') || ' | ' || coalesce(replace(staged.section_id, '|', '||'), '') || ' | ' || coalesce(replace(staged.observed_user_id, '|', '||'), '') = doubts.record_key
{% endif %}

{% if is_used('state') %}
union all

select
    'state/co_cmas' as feed,
    staged.source_id,
    staged.assessment_id as record_key,
    [
        { 'column': 'school_code', 'staged_value': staged.school_code },
        { 'column': 'student_state_id', 'staged_value': staged.student_state_id },
        { 'column': 'student_id', 'staged_value': staged.student_id },
        { 'column': 'student_vendor_id', 'staged_value': staged.student_vendor_id },
        { 'column': 'family_name', 'staged_value': staged.family_name },
        { 'column': 'given_name', 'staged_value': staged.given_name },
        { 'column': 'birth_date', 'staged_value': cast(staged.birth_date as varchar) },
        { 'column': 'grade', 'staged_value': staged.grade },
        { 'column': 'test_code', 'staged_value': staged.test_code },
        { 'column': 'attempted_code', 'staged_value': staged.attempted_code },
        { 'column': 'not_tested_code', 'staged_value': staged.not_tested_code },
        { 'column': 'not_tested_reason', 'staged_value': staged.not_tested_reason },
        { 'column': 'void_code', 'staged_value': staged.void_code },
        { 'column': 'void_reason', 'staged_value': staged.void_reason },
        { 'column': 'invalidation', 'staged_value': staged.invalidation },
        { 'column': 'suppression_code', 'staged_value': staged.suppression_code },
        { 'column': 'suppression_action', 'staged_value': staged.suppression_action },
        { 'column': 'unit_1_ended_at', 'staged_value': cast(staged.unit_1_ended_at as varchar) },
        { 'column': 'unit_2_ended_at', 'staged_value': cast(staged.unit_2_ended_at as varchar) },
        { 'column': 'unit_3_ended_at', 'staged_value': cast(staged.unit_3_ended_at as varchar) },
        { 'column': 'data_year', 'staged_value': cast(staged.data_year as varchar) },
        { 'column': 'subject', 'staged_value': staged.subject },
        { 'column': 'school_name', 'staged_value': staged.school_name },
        { 'column': 'scale_score', 'staged_value': cast(staged.scale_score as varchar) },
        { 'column': 'standard_error', 'staged_value': cast(staged.standard_error as varchar) },
        { 'column': 'performance_level', 'staged_value': staged.performance_level },
        { 'column': 'subclaim_1_percent', 'staged_value': cast(staged.subclaim_1_percent as varchar) },
        { 'column': 'subclaim_2_percent', 'staged_value': cast(staged.subclaim_2_percent as varchar) },
        { 'column': 'subclaim_3_percent', 'staged_value': cast(staged.subclaim_3_percent as varchar) },
        { 'column': 'subclaim_4_percent', 'staged_value': cast(staged.subclaim_4_percent as varchar) },
        { 'column': 'subclaim_5_percent', 'staged_value': cast(staged.subclaim_5_percent as varchar) }
    ] as staged_values
from {{ ref('stg_state__co_cmas') }} as staged
inner join doubts
    on
        doubts.feed = 'state/co_cmas'
        and staged.source_id = doubts.source_id
        and staged.assessment_id = doubts.record_key
union all

select
    'state/in_ilearn' as feed,
    staged.source_id,
    replace(staged.student_state_id, '|', '||') || ' | ' || replace(staged.test_name, '|', '||') as record_key,
    [
        { 'column': 'given_name', 'staged_value': staged.given_name },
        { 'column': 'family_name', 'staged_value': staged.family_name },
        { 'column': 'birth_date', 'staged_value': cast(staged.birth_date as varchar) },
        { 'column': 'grade', 'staged_value': staged.grade },
        { 'column': 'school_name', 'staged_value': staged.school_name },
        { 'column': 'school_code', 'staged_value': staged.school_code },
        { 'column': 'overall_scale_score', 'staged_value': cast(staged.overall_scale_score as varchar) },
        { 'column': 'proficiency_level', 'staged_value': staged.proficiency_level },
        { 'column': 'lexile_measure', 'staged_value': staged.lexile_measure },
        { 'column': 'quantile_measure', 'staged_value': staged.quantile_measure },
        { 'column': 'ready_code', 'staged_value': staged.ready_code },
        { 'column': 'iread_passing', 'staged_value': staged.iread_passing },
        { 'column': 'iread_scale_score', 'staged_value': cast(staged.iread_scale_score as varchar) },
        { 'column': 'category_1_level', 'staged_value': staged.category_1_level },
        { 'column': 'alternate_1_level', 'staged_value': staged.alternate_1_level },
        { 'column': 'iread_1_level', 'staged_value': staged.iread_1_level },
        { 'column': 'category_1_percent', 'staged_value': cast(staged.category_1_percent as varchar) },
        { 'column': 'category_2_level', 'staged_value': staged.category_2_level },
        { 'column': 'alternate_2_level', 'staged_value': staged.alternate_2_level },
        { 'column': 'iread_2_level', 'staged_value': staged.iread_2_level },
        { 'column': 'category_2_percent', 'staged_value': cast(staged.category_2_percent as varchar) },
        { 'column': 'category_3_level', 'staged_value': staged.category_3_level },
        { 'column': 'alternate_3_level', 'staged_value': staged.alternate_3_level },
        { 'column': 'iread_3_level', 'staged_value': staged.iread_3_level },
        { 'column': 'category_3_percent', 'staged_value': cast(staged.category_3_percent as varchar) },
        { 'column': 'category_4_level', 'staged_value': staged.category_4_level },
        { 'column': 'alternate_4_level', 'staged_value': staged.alternate_4_level },
        { 'column': 'category_5_level', 'staged_value': staged.category_5_level },
        { 'column': 'percentile', 'staged_value': cast(staged.percentile as varchar) },
        { 'column': 'check_1_level', 'staged_value': staged.check_1_level },
        { 'column': 'check_2_level', 'staged_value': staged.check_2_level },
        { 'column': 'check_3_level', 'staged_value': staged.check_3_level }
    ] as staged_values
from {{ ref('stg_state__in_ilearn') }} as staged
inner join doubts
    on
        doubts.feed = 'state/in_ilearn'
        and staged.source_id = doubts.source_id
        and replace(staged.student_state_id, '|', '||') || ' | ' || replace(staged.test_name, '|', '||') = doubts.record_key
{% endif %}

{% if own_feeds() %}
union all

select * from {{ ref('int_compared_own_staged') }}
{% endif %}

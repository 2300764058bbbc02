-- Finds: keys of accepted records of a new file that staging does not hold.
-- Matters: an accepted record must be the newest version of its key or give way to a newer one; never vanish.
-- Do: look for a filter in the staging model of that feed that drops records.
with files as (
    select * from {{ ref('stg_landing__files') }}
    where is_new and is_staged
),

problems as (
    select
        file_id,
        unnest(problems, max_depth := 2) -- noqa: AL03
    from {{ ref('int_file_record_counts') }}
),

new_records as (
    select
        cast(null as varchar) as feed,
        cast(null as varchar) as file_id,
        cast(null as bigint) as record_number,
        cast(null as boolean) as is_staged
    where false
    {% if reads_oneroster() %}
    union all
    {{ new_records('oneroster', {
        'orgs': 'org_id', 'academic_sessions': 'term_id', 'courses': 'course_id', 'classes': 'class_id',
        'users': 'user_id', 'roles': 'role_id', 'enrollments': 'enrollment_id', 'categories': 'category_id',
        'line_items': 'line_item_id', 'results': 'result_id',
        'line_item_learning_objective_ids': 'line_item_objective_id',
        'result_learning_objective_ids': 'result_objective_id',
    }) }}
    {% endif %}
    {% if is_used('overrides') %}
    union all
    {{ new_records('overrides', {'mastery_overrides': 'override_id'}) }}
    {% endif %}
    {% if is_used('nwea') %}
    union all
    {{ new_records('nwea', {'assessment_results': 'result_id', 'students': 'listing_id'}, {
        'assessment_results': nwea_result_id(), 'students': nwea_student_id(),
    }) }}
    {% endif %}
    {% if is_used('iready') %}
    union all
    {{ new_records('iready', {
        'diagnostic_ela': 'result_id', 'diagnostic_math': 'result_id', 'lessons': 'attempt_id',
    }, {
        'diagnostic_ela': iready_result_id(), 'diagnostic_math': iready_result_id(), 'lessons': iready_lesson_id(),
    }) }}
    {% endif %}
    {% if is_used('star') %}
    union all
    {{ new_records('star', {
        'overall': 'assessment_id', 'standards': 'standard_result_id', 'skill_area': 'skill_area_result_id',
    }, {
        'overall': text('AssessmentID'), 'standards': star_standard_id(), 'skill_area': star_skill_area_id(),
    }) }}
    {% endif %}
    {% if is_used('canvas') %}
    union all
    {{ new_records('canvas', {
        'outcome_results': 'result_id', 'student_competency': 'competency_id', 'gradebook': 'score_id',
        'users': 'user_id', 'courses': 'course_id', 'sections': 'section_id', 'enrollments': 'enrollment_id',
    }, {
        'outcome_results': canvas_result_id(), 'student_competency': canvas_competency_id(), 'gradebook': canvas_score_id(),
        'users': text('user_id'), 'courses': text('course_id'), 'sections': text('section_id'),
        'enrollments': canvas_enrollment_id(),
    }) }}
    {% endif %}
    {% if is_used('state') %}
    union all
    {{ new_records('state', {'co_cmas': 'assessment_id', 'in_ilearn': 'result_id'}, {
        'co_cmas': text('StudentTestUUID'), 'in_ilearn': ilearn_result_id(),
    }) }}
    {% endif %}
)

select
    new_records.feed,
    new_records.file_id,
    new_records.record_number
from new_records
left join problems
    on
        new_records.file_id = problems.file_id
        and new_records.record_number = problems.record_number
        and problems.verdict <> 'accepted'
where not new_records.is_staged and problems.file_id is null

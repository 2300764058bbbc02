-- Finds: keys of accepted records of a new file that staging does not hold.
-- Matters: an accepted record must be the newest version of its key or give way to a newer one; never vanish.
-- Do: look for a filter in the staging model of that feed that drops records.
with problems as (
    select
        file_id,
        unnest(problems, max_depth := 2) -- noqa: AL03
    from {{ ref('int_file_record_counts') }}
),

accepted as (
    {{ accepted_keys('oneroster', {
        'orgs': 'org_id', 'academic_sessions': 'term_id', 'courses': 'course_id', 'classes': 'class_id',
        'users': 'user_id', 'roles': 'role_id', 'enrollments': 'enrollment_id', 'categories': 'category_id',
        'line_items': 'line_item_id', 'results': 'result_id',
        'line_item_learning_objective_ids': 'line_item_objective_id',
        'result_learning_objective_ids': 'result_objective_id',
    }) }}
    {% if is_used('overrides') %}
    union all
    {{ accepted_keys('overrides', {'mastery_overrides': 'override_id'}) }}
    {% endif %}
)

select
    accepted.feed,
    accepted.file_id,
    accepted.record_number
from accepted
left join problems
    on
        accepted.file_id = problems.file_id
        and accepted.record_number = problems.record_number
        and problems.verdict <> 'accepted'
where not accepted.is_staged and problems.file_id is null

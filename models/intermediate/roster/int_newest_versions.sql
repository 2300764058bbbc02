-- One row per staged record, of any feed: what presence depends on.
{{ config(materialized='view') }}

with newest_versions as (
    select {{ presence_columns('oneroster/orgs', 'org_id') }}
    from {{ ref('stg_oneroster__orgs') }}
    union all
    select {{ presence_columns('oneroster/academic_sessions', 'term_id') }}
    from {{ ref('stg_oneroster__academic_sessions') }}
    union all
    select {{ presence_columns('oneroster/courses', 'course_id') }}
    from {{ ref('stg_oneroster__courses') }}
    union all
    select {{ presence_columns('oneroster/classes', 'class_id') }}
    from {{ ref('stg_oneroster__classes') }}
    union all
    select {{ presence_columns('oneroster/users', 'user_id') }}
    from {{ ref('stg_oneroster__users') }}
    union all
    select {{ presence_columns('oneroster/roles', 'role_id') }}
    from {{ ref('stg_oneroster__roles') }}
    union all
    select {{ presence_columns('oneroster/enrollments', 'enrollment_id') }}
    from {{ ref('stg_oneroster__enrollments') }}
    union all
    select {{ presence_columns('oneroster/categories', 'category_id') }}
    from {{ ref('stg_oneroster__categories') }}
    union all
    select {{ presence_columns('oneroster/line_items', 'line_item_id') }}
    from {{ ref('stg_oneroster__line_items') }}
    union all
    select {{ presence_columns('oneroster/results', 'result_id') }}
    from {{ ref('stg_oneroster__results') }}
    union all
    select {{ presence_columns('oneroster/line_item_learning_objective_ids', 'line_item_objective_id') }}
    from {{ ref('stg_oneroster__line_item_learning_objective_ids') }}
    union all
    select {{ presence_columns('oneroster/result_learning_objective_ids', 'result_objective_id') }}
    from {{ ref('stg_oneroster__result_learning_objective_ids') }}
    union all
    select {{ presence_columns('overrides/mastery_overrides', 'override_id') }}
    from {{ ref('stg_overrides__mastery_overrides') }}
)

select * from newest_versions

-- One row per staged OneRoster record, of any feed: what presence depends on.
{{ config(materialized='view') }}

with newest_versions as (
    select
        source_id,
        'oneroster/orgs' as feed,
        org_id as record_key,
        is_deleted,
        exported_at
    from {{ ref('stg_oneroster__orgs') }}
    union all
    select
        source_id,
        'oneroster/academic_sessions' as feed,
        term_id as record_key,
        is_deleted,
        exported_at
    from {{ ref('stg_oneroster__academic_sessions') }}
    union all
    select
        source_id,
        'oneroster/courses' as feed,
        course_id as record_key,
        is_deleted,
        exported_at
    from {{ ref('stg_oneroster__courses') }}
    union all
    select
        source_id,
        'oneroster/classes' as feed,
        class_id as record_key,
        is_deleted,
        exported_at
    from {{ ref('stg_oneroster__classes') }}
    union all
    select
        source_id,
        'oneroster/users' as feed,
        user_id as record_key,
        is_deleted,
        exported_at
    from {{ ref('stg_oneroster__users') }}
    union all
    select
        source_id,
        'oneroster/roles' as feed,
        role_id as record_key,
        is_deleted,
        exported_at
    from {{ ref('stg_oneroster__roles') }}
    union all
    select
        source_id,
        'oneroster/enrollments' as feed,
        enrollment_id as record_key,
        is_deleted,
        exported_at
    from {{ ref('stg_oneroster__enrollments') }}
    union all
    select
        source_id,
        'oneroster/categories' as feed,
        category_id as record_key,
        is_deleted,
        exported_at
    from {{ ref('stg_oneroster__categories') }}
    union all
    select
        source_id,
        'oneroster/line_items' as feed,
        line_item_id as record_key,
        is_deleted,
        exported_at
    from {{ ref('stg_oneroster__line_items') }}
    union all
    select
        source_id,
        'oneroster/results' as feed,
        result_id as record_key,
        is_deleted,
        exported_at
    from {{ ref('stg_oneroster__results') }}
    union all
    select
        source_id,
        'oneroster/line_item_learning_objective_ids' as feed,
        line_item_objective_id as record_key,
        is_deleted,
        exported_at
    from {{ ref('stg_oneroster__line_item_learning_objective_ids') }}
    union all
    select
        source_id,
        'oneroster/result_learning_objective_ids' as feed,
        result_objective_id as record_key,
        is_deleted,
        exported_at
    from {{ ref('stg_oneroster__result_learning_objective_ids') }}
)

select * from newest_versions

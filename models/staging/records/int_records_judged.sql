-- One row per record of a visible file, of any staged feed, with what it is judged by.
{{ config(materialized='view') }}

with records as (
    select {{ verdict_columns() }} from {{ ref('base_oneroster__orgs_1_1') }}
    union all
    select {{ verdict_columns() }} from {{ ref('base_oneroster__academic_sessions_1_1') }}
    union all
    select {{ verdict_columns() }} from {{ ref('base_oneroster__courses_1_1') }}
    union all
    select {{ verdict_columns() }} from {{ ref('base_oneroster__classes_1_1') }}
    union all
    select {{ verdict_columns() }} from {{ ref('base_oneroster__users_1_1') }}
    union all
    select {{ verdict_columns() }} from {{ ref('base_oneroster__users_1_2') }}
    union all
    select {{ verdict_columns() }} from {{ ref('base_oneroster__users_1_2_1') }}
    union all
    select {{ verdict_columns() }} from {{ ref('base_oneroster__roles_1_2') }}
    union all
    select {{ verdict_columns() }} from {{ ref('base_oneroster__enrollments_1_1') }}
    union all
    select {{ verdict_columns() }} from {{ ref('base_oneroster__categories_1_1') }}
    union all
    select {{ verdict_columns() }} from {{ ref('base_oneroster__categories_1_2') }}
    union all
    select {{ verdict_columns() }} from {{ ref('base_oneroster__line_items_1_1') }}
    union all
    select {{ verdict_columns() }} from {{ ref('base_oneroster__line_items_1_2') }}
    union all
    select {{ verdict_columns() }} from {{ ref('base_oneroster__results_1_1') }}
    union all
    select {{ verdict_columns() }} from {{ ref('base_oneroster__results_1_2') }}
    union all
    select {{ verdict_columns() }} from {{ ref('base_oneroster__line_item_learning_objective_ids_1_2') }}
    union all
    select {{ verdict_columns() }} from {{ ref('base_oneroster__result_learning_objective_ids_1_2') }}
    union all
    select {{ verdict_columns() }} from {{ ref('base_overrides__mastery_overrides_1') }}
)

select * from records

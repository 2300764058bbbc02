-- One row per active row of a mart and column in which it refers to a record that has not come. Written by `rollcall
-- layouts compare`.
select
    cast(null as varchar) as source_id,
    cast(null as varchar) as feed,
    cast(null as varchar) as record_key,
    cast(null as varchar) as file_id,
    cast(null as bigint) as record_number,
    cast(null as bigint) as line_number,
    cast(null as varchar) as processed_column,
    cast(null as varchar) as source_value
where false

{% if reads_oneroster() %}

union all

select
    processed.source_id,
    'oneroster/academic_sessions' as feed,
    processed.term_id as record_key,
    processed.file_id,
    processed.record_number,
    processed.line_number,
    unresolved.processed_column,
    case unresolved.processed_column
        when 'parent_term_id' then processed.parent_term_id
    end as source_value
from {{ ref('dim_term') }} as processed
cross join unnest(processed.unresolved) as unresolved (processed_column)
where processed.is_active

union all

select
    processed.source_id,
    'oneroster/classes' as feed,
    processed.class_id as record_key,
    processed.file_id,
    processed.record_number,
    processed.line_number,
    unresolved.processed_column,
    case unresolved.processed_column
        when 'course_id' then processed.course_id
        when 'org_id' then processed.org_id
        when 'term_ids' then nullif(array_to_string(processed.term_ids, ','), '')
    end as source_value
from {{ rollcall.of_oneroster('dim_class') }} as processed
cross join unnest(processed.unresolved) as unresolved (processed_column)
where processed.is_active

union all

select
    processed.source_id,
    'oneroster/courses' as feed,
    processed.course_id as record_key,
    processed.file_id,
    processed.record_number,
    processed.line_number,
    unresolved.processed_column,
    case unresolved.processed_column
        when 'school_year_term_id' then processed.school_year_term_id
        when 'org_id' then processed.org_id
    end as source_value
from {{ rollcall.of_oneroster('dim_course') }} as processed
cross join unnest(processed.unresolved) as unresolved (processed_column)
where processed.is_active

union all

select
    processed.source_id,
    'oneroster/enrollments' as feed,
    processed.enrollment_id as record_key,
    processed.file_id,
    processed.record_number,
    processed.line_number,
    unresolved.processed_column,
    case unresolved.processed_column
        when 'class_id' then processed.class_id
        when 'org_id' then processed.org_id
        when 'user_id' then processed.user_id
    end as source_value
from {{ rollcall.of_oneroster('fct_enrollment') }} as processed
cross join unnest(processed.unresolved) as unresolved (processed_column)
where processed.is_active

union all

select
    processed.source_id,
    'oneroster/line_item_learning_objective_ids' as feed,
    processed.line_item_objective_id as record_key,
    processed.file_id,
    processed.record_number,
    processed.line_number,
    unresolved.processed_column,
    case unresolved.processed_column
        when 'line_item_id' then processed.line_item_id
    end as source_value
from {{ ref('brg_line_item_objective') }} as processed
cross join unnest(processed.unresolved) as unresolved (processed_column)
where processed.is_active

union all

select
    processed.source_id,
    'oneroster/line_items' as feed,
    processed.line_item_id as record_key,
    processed.file_id,
    processed.record_number,
    processed.line_number,
    unresolved.processed_column,
    case unresolved.processed_column
        when 'class_id' then processed.class_id
        when 'category_id' then processed.category_id
        when 'term_id' then processed.term_id
        when 'org_id' then processed.org_id
    end as source_value
from {{ ref('dim_line_item') }} as processed
cross join unnest(processed.unresolved) as unresolved (processed_column)
where processed.is_active

union all

select
    processed.source_id,
    'oneroster/orgs' as feed,
    processed.org_id as record_key,
    processed.file_id,
    processed.record_number,
    processed.line_number,
    unresolved.processed_column,
    case unresolved.processed_column
        when 'parent_org_id' then processed.parent_org_id
    end as source_value
from {{ ref('dim_org') }} as processed
cross join unnest(processed.unresolved) as unresolved (processed_column)
where processed.is_active

union all

select
    processed.source_id,
    'oneroster/result_learning_objective_ids' as feed,
    processed.result_objective_id as record_key,
    processed.file_id,
    processed.record_number,
    processed.line_number,
    unresolved.processed_column,
    case unresolved.processed_column
        when 'result_id' then processed.result_id
    end as source_value
from {{ ref('fct_result_objective_score') }} as processed
cross join unnest(processed.unresolved) as unresolved (processed_column)
where processed.is_active

union all

select
    processed.source_id,
    'oneroster/results' as feed,
    processed.result_id as record_key,
    processed.file_id,
    processed.record_number,
    processed.line_number,
    unresolved.processed_column,
    case unresolved.processed_column
        when 'line_item_id' then processed.line_item_id
        when 'student_id' then processed.student_id
        when 'class_id' then processed.class_id
    end as source_value
from {{ ref('fct_result') }} as processed
cross join unnest(processed.unresolved) as unresolved (processed_column)
where processed.is_active

union all

select
    processed.source_id,
    'oneroster/roles' as feed,
    processed.role_id as record_key,
    processed.file_id,
    processed.record_number,
    processed.line_number,
    unresolved.processed_column,
    case unresolved.processed_column
        when 'user_id' then processed.user_id
        when 'org_id' then processed.org_id
    end as source_value
from {{ ref('brg_user_role') }} as processed
cross join unnest(processed.unresolved) as unresolved (processed_column)
where processed.is_active

union all

select
    processed.source_id,
    'oneroster/users' as feed,
    processed.user_id as record_key,
    processed.file_id,
    processed.record_number,
    processed.line_number,
    unresolved.processed_column,
    case unresolved.processed_column
        when 'org_ids' then nullif(array_to_string(processed.org_ids, ','), '')
        when 'primary_org_id' then processed.primary_org_id
    end as source_value
from {{ rollcall.of_oneroster('dim_user') }} as processed
cross join unnest(processed.unresolved) as unresolved (processed_column)
where processed.is_active

{% endif %}

{% if is_used('overrides') %}
union all

select
    processed.source_id,
    'overrides/mastery_overrides' as feed,
    processed.override_id as record_key,
    processed.file_id,
    processed.record_number,
    processed.line_number,
    unresolved.processed_column,
    case unresolved.processed_column
        when 'student_id' then processed.student_id
        when 'teacher_id' then processed.teacher_id
    end as source_value
from {{ ref('fct_override') }} as processed
cross join unnest(processed.unresolved) as unresolved (processed_column)
where processed.is_active
{% endif %}

{% if is_used('nwea') %}
{% endif %}

{% if is_used('iready') %}
{% endif %}

{% if is_used('star') %}
{% endif %}

{% if is_used('canvas') %}
{% endif %}

{% if is_used('state') %}
{% endif %}

{% if own_feeds() %}
union all

select * from {{ ref('int_compared_own_references') }}
{% endif %}

-- One row per source and line item: its class and course, and the objectives it counts for.
with line_items as (
    select * from {{ ref('dim_line_item') }}
),

classes as (
    select * from {{ with_live('stg_oneroster__classes') }}
),

exported as (
    select
        line_item_key,
        array_agg(distinct objective_id order by objective_id) as objective_ids
    from {{ ref('brg_line_item_objective') }}
    where is_active
    group by line_item_key
),

declared as (
    select
        source_id,
        aligned_kind,
        aligned_id,
        array_agg(distinct objective_id order by objective_id) as objective_ids
    from {{ ref('objective_alignment') }}
    group by source_id, aligned_kind, aligned_id
),

aligned as (
    select
        line_items.line_item_key,
        line_items.source_id,
        line_items.line_item_id,
        line_items.score_min,
        line_items.score_max,
        line_items.class_key,
        classes.course_id,
        line_items.is_active,
        case
            when exported.line_item_key is not null then 'line_item'
            when coalesce(of_line_item.aligned_id, of_class.aligned_id, of_course.aligned_id) is not null
                then 'declared'
            when classes.course_id is not null then 'course'
        end as alignment,
        coalesce(
            exported.objective_ids,
            of_line_item.objective_ids,
            of_class.objective_ids,
            of_course.objective_ids,
            case when classes.course_id is not null then [classes.course_id] end
        ) as objective_ids
    from line_items
    left join classes on line_items.class_key = classes.class_key
    left join exported on line_items.line_item_key = exported.line_item_key
    left join declared as of_line_item
        on
            of_line_item.aligned_kind = 'line_item'
            and line_items.source_id = of_line_item.source_id
            and line_items.line_item_id = of_line_item.aligned_id
    left join declared as of_class
        on
            of_class.aligned_kind = 'class'
            and line_items.source_id = of_class.source_id
            and line_items.class_id = of_class.aligned_id
    left join declared as of_course
        on
            of_course.aligned_kind = 'course'
            and line_items.source_id = of_course.source_id
            and classes.course_id = of_course.aligned_id
)

select
    *,
    {{ fingerprint([
        'line_item_key', 'score_min', 'score_max', 'class_key', 'course_id', 'alignment', 'objective_ids',
        'is_active',
    ]) }} as alignment_fingerprint
from aligned

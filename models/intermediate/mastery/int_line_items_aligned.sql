-- One row per source and line item: its range of scores, its class and course, the objectives it counts for.
with line_items as (
    select * from {{ ref('stg_oneroster__line_items') }}
),

classes as (
    select * from {{ ref('stg_oneroster__classes') }}
),

removed as (
    select * from {{ ref('int_records_removed') }}
),

exported as (
    select
        alignments.source_id,
        alignments.line_item_id,
        array_agg(distinct alignments.objective_id order by alignments.objective_id) as objective_ids
    from {{ ref('stg_oneroster__line_item_learning_objective_ids') }} as alignments
    left join removed
        on
            alignments.source_id = removed.source_id
            and alignments.line_item_objective_id = removed.record_key
            and removed.feed = 'oneroster/line_item_learning_objective_ids'
    where removed.record_key is null
    group by alignments.source_id, alignments.line_item_id
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
        line_items.source_id,
        line_items.line_item_id,
        line_items.score_min,
        line_items.score_max,
        line_items.class_id,
        classes.course_id,
        case
            when exported.line_item_id is not null then 'line_item'
            when
                coalesce(of_line_item.aligned_id, of_class.aligned_id, of_course.aligned_id) is not null
                then 'declared'
            when classes.course_id is not null then 'course'
        end as alignment,
        coalesce(
            exported.objective_ids,
            of_line_item.objective_ids,
            of_class.objective_ids,
            of_course.objective_ids,
            case when classes.course_id is not null then [classes.course_id] end
        ) as objective_ids,
        removed.record_key is not null as is_withdrawn
    from line_items
    left join classes
        on line_items.roster_source_id = classes.source_id and line_items.class_id = classes.class_id
    left join removed
        on
            line_items.source_id = removed.source_id
            and line_items.line_item_id = removed.record_key
            and removed.feed = 'oneroster/line_items'
    left join exported
        on line_items.source_id = exported.source_id and line_items.line_item_id = exported.line_item_id
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
        'source_id', 'line_item_id', 'score_min', 'score_max', 'class_id', 'course_id', 'alignment',
        'objective_ids', 'is_withdrawn',
    ]) }} as alignment_fingerprint
from aligned

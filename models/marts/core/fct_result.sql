-- One row per source and result: a student's score, or the lack of one, for a line item.
with results as (
    select * from {{ ref('stg_oneroster__results') }}
),

line_items as (
    select * from {{ ref('stg_oneroster__line_items') }}
),

users as (
    select * from {{ ref('stg_oneroster__users') }}
),

classes as (
    select * from {{ ref('stg_oneroster__classes') }}
),

sources as (
    select * from {{ ref('sources') }}
),

removed as (
    select * from {{ ref('int_records_removed') }}
    where feed = 'oneroster/results'
),

results_with_line_item as (
    select
        results.*,
        line_items.name as line_item_name,
        line_items.score_min,
        line_items.score_max,
        line_items.line_item_id is null as is_awaiting_line_item,
        coalesce(results.class_id, line_items.class_id) as effective_class_id
    from results
    left join line_items using (source_id, line_item_id)
),

final as (
    select
        results.source_id,
        results.result_id,
        results.line_item_id,
        results.student_id,
        results.effective_class_id as class_id,
        results.line_item_name,
        results.score_status,
        results.score,
        results.score_min,
        results.score_max,
        results.text_score,
        results.score_date,
        {{ end_of_day('results.score_date', 'sources.time_zone') }} as event_at,
        'date' as event_precision,
        results.is_in_progress,
        results.is_incomplete,
        results.is_late,
        results.is_missing,
        removed.record_key is null as is_active,
        {{ columns_where({
            'line_item_id': 'results.is_awaiting_line_item',
            'student_id': 'users.user_id is null',
            'class_id': 'results.effective_class_id is not null and classes.class_id is null',
        }) }} as awaiting,
        results.modified_at,
        results.exported_at,
        results.landed_at,
        results.visible_at,
        results.file_id,
        results.record_number,
        results.line_number
    from results_with_line_item as results
    inner join sources on results.source_id = sources.source_id
    left join removed
        on results.source_id = removed.source_id and results.result_id = removed.record_key
    left join users
        on results.roster_source_id = users.source_id and results.student_id = users.user_id
    left join classes
        on
            results.roster_source_id = classes.source_id
            and results.effective_class_id = classes.class_id
)

select * from final

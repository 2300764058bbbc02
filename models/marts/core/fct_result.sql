-- One row per source and result: a student's score, or the lack of one, for a line item.
with results as (
    {{ with_presence(
        ref('stg_oneroster__results'), source('raw_oneroster', 'results'), 'oneroster/results', 'result_id'
    ) }}
),

line_items as (
    select * from {{ ref('stg_oneroster__line_items') }}
),

users as (
    select user_key from {{ with_live('stg_oneroster__users') }}
),

classes as (
    select class_key from {{ with_live('stg_oneroster__classes') }}
),

-- A result that names no class belongs to the class of its line item.
with_line_item as (
    select
        results.* exclude (class_id, class_key),
        coalesce(results.class_id, line_items.class_id) as class_id,
        coalesce(results.class_key, line_items.class_key) as class_key,
        line_items.name as line_item_name,
        line_items.score_min,
        line_items.score_max,
        line_items.line_item_key as known_line_item_key
    from results
    left join line_items on results.line_item_key = line_items.line_item_key
),

final as (
    select
        results.*,
        'date' as event_precision,
        {{ columns_where({
            'line_item_id': 'results.known_line_item_key is null',
            'student_id': 'users.user_key is null',
            'class_id': 'results.class_key is not null and classes.class_key is null',
        }) }} as unresolved
    from with_line_item as results
    left join users on results.student_key = users.user_key
    left join classes on results.class_key = classes.class_key
)

select * exclude (known_line_item_key) from final

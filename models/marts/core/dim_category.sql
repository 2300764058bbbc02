-- One row per source and category of graded work.
with categories as (
    select * from {{ ref('stg_oneroster__categories') }}
),

removed as (
    select * from {{ ref('int_records_removed') }}
    where feed = 'oneroster/categories'
),

final as (
    select
        categories.source_id,
        categories.category_id,
        categories.name,
        categories.weight,
        removed.record_key is null as is_active,
        categories.modified_at,
        categories.exported_at,
        categories.landed_at,
        categories.visible_at,
        categories.file_id,
        categories.record_number,
        categories.line_number
    from categories
    left join removed
        on
            categories.source_id = removed.source_id
            and categories.category_id = removed.record_key
)

select * from final

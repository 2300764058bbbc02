-- One row per source and line item: a piece of work that is graded.
with line_items as (
    select * from {{ ref('stg_oneroster__line_items') }}
),

classes as (
    select * from {{ ref('stg_oneroster__classes') }}
),

categories as (
    select * from {{ ref('stg_oneroster__categories') }}
),

terms as (
    select * from {{ ref('stg_oneroster__academic_sessions') }}
),

orgs as (
    select * from {{ ref('stg_oneroster__orgs') }}
),

removed as (
    select * from {{ ref('int_records_removed') }}
    where feed = 'oneroster/line_items'
),

final as (
    select
        line_items.source_id,
        line_items.line_item_id,
        line_items.name,
        line_items.class_id,
        line_items.category_id,
        line_items.term_id,
        line_items.org_id,
        line_items.assign_date,
        line_items.due_date,
        line_items.score_min,
        line_items.score_max,
        removed.record_key is null as is_active,
        {{ columns_where({
            'class_id': 'classes.class_id is null',
            'category_id': 'line_items.category_id is not null and categories.category_id is null',
            'term_id': 'line_items.term_id is not null and terms.term_id is null',
            'org_id': 'line_items.org_id is not null and orgs.org_id is null',
        }) }} as awaiting,
        line_items.modified_at,
        line_items.exported_at,
        line_items.landed_at,
        line_items.visible_at,
        line_items.file_id,
        line_items.record_number,
        line_items.line_number
    from line_items
    left join removed
        on
            line_items.source_id = removed.source_id
            and line_items.line_item_id = removed.record_key
    left join classes
        on
            line_items.roster_source_id = classes.source_id
            and line_items.class_id = classes.class_id
    left join categories
        on
            line_items.source_id = categories.source_id
            and line_items.category_id = categories.category_id
    left join terms
        on
            line_items.roster_source_id = terms.source_id
            and line_items.term_id = terms.term_id
    left join orgs
        on
            line_items.roster_source_id = orgs.source_id
            and line_items.org_id = orgs.org_id
)

select * from final

-- One row per source and line item: a piece of work that is graded.
with line_items as (
    {{ with_presence(
        ref('stg_oneroster__line_items'), source('raw_oneroster', 'line_items'), 'oneroster/line_items', 'line_item_id'
    ) }}
),

classes as (
    select class_key from {{ with_live('stg_oneroster__classes') }}
),

categories as (
    select category_key from {{ ref('stg_oneroster__categories') }}
),

terms as (
    select term_key from {{ with_live('stg_oneroster__academic_sessions') }}
),

orgs as (
    select org_key from {{ with_live('stg_oneroster__orgs') }}
),

final as (
    select
        line_items.*,
        {{ columns_where({
            'class_id': 'classes.class_key is null',
            'category_id': 'line_items.category_key is not null and categories.category_key is null',
            'term_id': 'line_items.term_key is not null and terms.term_key is null',
            'org_id': 'line_items.org_key is not null and orgs.org_key is null',
        }) }} as unresolved
    from line_items
    left join classes on line_items.class_key = classes.class_key
    left join categories on line_items.category_key = categories.category_key
    left join terms on line_items.term_key = terms.term_key
    left join orgs on line_items.org_key = orgs.org_key
)

select * from final

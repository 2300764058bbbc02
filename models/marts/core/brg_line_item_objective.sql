-- One row per source and alignment: a line item assesses an objective.
with alignments as (
    {{ with_presence(
        ref('stg_oneroster__line_item_learning_objective_ids'),
        source('raw_oneroster', 'line_item_learning_objective_ids'),
        'oneroster/line_item_learning_objective_ids', 'line_item_objective_id'
    ) }}
),

line_items as (
    select line_item_key from {{ ref('stg_oneroster__line_items') }}
),

final as (
    select
        alignments.*,
        {{ columns_where({'line_item_id': 'line_items.line_item_key is null'}) }} as unresolved
    from alignments
    left join line_items on alignments.line_item_key = line_items.line_item_key
)

select * from final

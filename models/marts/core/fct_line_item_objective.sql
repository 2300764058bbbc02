-- One row per source and alignment: a line item assesses an objective.
with alignments as (
    select * from {{ ref('stg_oneroster__line_item_learning_objective_ids') }}
),

line_items as (
    select * from {{ ref('stg_oneroster__line_items') }}
),

removed as (
    select * from {{ ref('int_records_removed') }}
    where feed = 'oneroster/line_item_learning_objective_ids'
),

final as (
    select
        alignments.source_id,
        alignments.line_item_objective_id,
        alignments.line_item_id,
        alignments.objective_source,
        alignments.objective_id,
        removed.record_key is null as is_active,
        {{ columns_where({
            'line_item_id': 'line_items.line_item_id is null',
        }) }} as awaiting,
        alignments.modified_at,
        alignments.exported_at,
        alignments.landed_at,
        alignments.visible_at,
        alignments.file_id,
        alignments.record_number,
        alignments.line_number
    from alignments
    left join removed
        on
            alignments.source_id = removed.source_id
            and alignments.line_item_objective_id = removed.record_key
    left join line_items
        on
            alignments.source_id = line_items.source_id
            and alignments.line_item_id = line_items.line_item_id
)

select * from final

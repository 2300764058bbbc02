-- One row per source and line item: its newest accepted version, deleted ones included.
{{ config(unique_key=['source_id', 'line_item_id']) }}

with records as (
    select * from {{ ref('base_oneroster__line_items_1_1') }}
    union all
    select * from {{ ref('base_oneroster__line_items_1_2') }}
),

refused as (
    select * from {{ ref('int_oneroster_records_refused') }}
),

accepted as (
    select
        records.*,
        row_number() over (
            partition by records.source_id, records.line_item_id
            order by records.version_at desc, records.exported_at desc
        ) as recency
    from records
    left join refused using (file_id, record_number)
    where
        refused.file_id is null
        {% if is_incremental() %}and records.is_new{% endif %}
),

newest as (
    select
        source_id,
        roster_source_id,
        line_item_id,
        name,
        assign_date,
        due_date,
        class_id,
        category_id,
        term_id,
        score_min,
        score_max,
        org_id,
        is_deleted,
        modified_at,
        version_at,
        exported_at,
        landed_at,
        visible_at,
        file_id,
        record_number,
        line_number,
        violations as warnings
    from accepted
    where recency = 1
)

select * from newest
{% if is_incremental() %}where {{ is_newer_than_stored('line_item_id', 'newest') }}{% endif %}

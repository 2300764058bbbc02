-- One row per source and category: its newest accepted version, deleted ones included.
{{ config(unique_key=['source_id', 'category_id']) }}

with records as (
    select * from {{ ref('base_oneroster__categories_1_1') }}
    union all
    select * from {{ ref('base_oneroster__categories_1_2') }}
),

refused as (
    select * from {{ ref('int_oneroster_records_refused') }}
),

accepted as (
    select
        records.*,
        row_number() over (
            partition by records.source_id, records.category_id
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
        category_id,
        name,
        weight,
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
{% if is_incremental() %}where {{ is_newer_than_stored('category_id', 'newest') }}{% endif %}

-- One row per record of an OneRoster lineItems.csv file, layouts 1.2 and 1.2.1.
{% set checks = oneroster_checks() + [
    required('title'),
    required('assignDate'),
    readable('assignDate', 'date'),
    required('dueDate'),
    readable('dueDate', 'date'),
    required('classSourcedId'),
    required('categorySourcedId'),
    required('gradingPeriodSourcedId'),
    readable('resultValueMin', 'number', refuses=false),
    readable('resultValueMax', 'number', refuses=false),
    required('schoolSourcedId'),
] %}

with records as (
    select * from {{ source('raw_oneroster', 'line_items') }}
    where split_part(layout_version, '-', 1) in ('1.2', '1.2.1')
),

files as (
    select * from {{ ref('stg_landing__visible_files') }}
),

typed as (
    select
        {{ lineage() }},
        {{ text('sourcedId') }} as record_key,
        {{ text('sourcedId') }} as line_item_id,
        {{ text('title') }} as name,
        {{ date('assignDate') }} as assign_date,
        {{ date('dueDate') }} as due_date,
        {{ text('classSourcedId') }} as class_id,
        {{ text('categorySourcedId') }} as category_id,
        {{ text('gradingPeriodSourcedId') }} as term_id,
        {{ number('resultValueMin') }} as score_min,
        {{ number('resultValueMax') }} as score_max,
        {{ text('schoolSourcedId') }} as org_id,
        {{ is_deletion('status') }} as is_deleted,
        {{ instant('dateLastModified') }} as modified_at,
        {{ is_rejected(checks) }} as is_rejected,
        {{ violations(checks) }} as violations
    from records
    inner join files using (file_id)
),

final as (
    select
        typed.*,
        {{ version_at('modified_at', 'exported_at') }} as version_at,
        {{ content_hash([
            'line_item_id', 'name', 'assign_date', 'due_date', 'class_id', 'category_id',
            'term_id', 'score_min', 'score_max', 'org_id', 'is_deleted', 'modified_at',
        ]) }} as content_hash
    from typed
)

select * from final

-- One row per record of an OneRoster categories.csv file, layout 1.1.
{% set checks = oneroster_checks() + [
    required('title'),
] %}

with records as (
    select * from {{ source('raw_oneroster', 'categories') }}
    where split_part(layout_version, '-', 1) in ('1.1')
),

files as (
    select * from {{ ref('stg_landing__visible_files') }}
),

typed as (
    select
        {{ lineage() }},
        {{ text('sourcedId') }} as record_key,
        {{ text('sourcedId') }} as category_id,
        {{ text('title') }} as name,
        cast(null as integer) as weight,
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
            'category_id', 'name', 'weight', 'is_deleted', 'modified_at',
        ]) }} as content_hash
    from typed
)

select * from final

-- One row per record of an OneRoster categories.csv file, whatever the version of its layout.
with records as (
    {{ trimmed_records(source('raw_oneroster', 'categories')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ text('sourcedId') }} as record_key,
        {{ text('sourcedId') }} as category_id,
        {{ own_key('sourcedId') }} as category_key,
        {{ text('title') }} as name,
        {{ integer('weight') }} as weight,
        {{ is_deletion('status') }} as is_deleted,
        {{ instant('dateLastModified') }} as modified_at,
        {{ oneroster_violations([
            required('title'),
            readable('weight', 'integer'),
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    *,
    {{ is_rejected() }} as is_rejected,
    {{ content_hash() }} as content_hash
from typed

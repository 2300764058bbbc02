-- One row per record of an OneRoster lineItemLearningObjectiveIds.csv file, whatever the version of its layout.
{% set objective_sources = ['case', 'unknown'] %}

with records as (
    {{ trimmed_records(source('raw_oneroster', 'line_item_learning_objective_ids')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ text('sourcedId') }} as record_key,
        {{ text('sourcedId') }} as line_item_objective_id,
        {{ own_key('sourcedId') }} as line_item_objective_key,
        {{ text('lineItemSourcedId') }} as line_item_id,
        {{ own_key('lineItemSourcedId') }} as line_item_key,
        {{ one_of('source', objective_sources) }} as objective_source,
        {{ text('learningObjectiveId') }} as objective_id,
        {{ is_deletion('status') }} as is_deleted,
        {{ instant('dateLastModified') }} as modified_at,
        {{ oneroster_violations([
            required('lineItemSourcedId'),
            required('source'),
            allowed('source', objective_sources),
            required('learningObjectiveId'),
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    *,
    {{ is_rejected() }} as is_rejected,
    {{ content_hash() }} as content_hash
from typed

-- One row per record of an OneRoster resultLearningObjectiveIds.csv file, whatever the version of its layout.
{% set objective_sources = ['case', 'unknown'] %}
with records as (
    {{ trimmed_records(source('raw_oneroster', 'result_learning_objective_ids')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ text('sourcedId') }} as record_key,
        {{ text('sourcedId') }} as result_objective_id,
        {{ own_key('sourcedId') }} as result_objective_key,
        {{ text('resultSourcedId') }} as result_id,
        {{ own_key('resultSourcedId') }} as result_key,
        {{ one_of('source', objective_sources) }} as objective_source,
        {{ text('learningObjectiveId') }} as objective_id,
        {{ number('score') }} as score,
        {{ text('textScore') }} as text_score,
        {{ is_deletion('status') }} as is_deleted,
        {{ instant('dateLastModified') }} as modified_at,
        {{ oneroster_violations([
            required('resultSourcedId'),
            required('source'), allowed('source', objective_sources),
            required('learningObjectiveId'),
            readable('score', 'number', rejects='true'),
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    *,
    {{ is_rejected() }} as is_rejected,
    {{ content_hash() }} as content_hash
from typed

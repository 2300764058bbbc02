-- One row per record of an OneRoster resultLearningObjectiveIds.csv file, layouts 1.2 and 1.2.1.
{% set checks = oneroster_checks() + [
    required('resultSourcedId'),
    required('source'),
    allowed('source', ['case', 'unknown'], allows_extension=true),
    required('learningObjectiveId'),
    readable('score', 'number', refuses=false),
] %}

with records as (
    select * from {{ source('raw_oneroster', 'result_learning_objective_ids') }}
    where split_part(layout_version, '-', 1) in ('1.2', '1.2.1')
),

files as (
    select * from {{ ref('stg_landing__visible_files') }}
),

typed as (
    select
        {{ lineage() }},
        {{ text('sourcedId') }} as record_key,
        {{ text('sourcedId') }} as result_objective_id,
        {{ text('resultSourcedId') }} as result_id,
        {{ text('source') }} as objective_source,
        {{ text('learningObjectiveId') }} as objective_id,
        {{ number('score') }} as score,
        {{ text('textScore') }} as text_score,
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
            'result_objective_id', 'result_id', 'objective_source', 'objective_id', 'score',
            'text_score', 'is_deleted', 'modified_at',
        ]) }} as content_hash
    from typed
)

select * from final

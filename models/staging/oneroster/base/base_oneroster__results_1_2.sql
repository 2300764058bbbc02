-- One row per record of an OneRoster results.csv file, layouts 1.2 and 1.2.1.
{% set checks = oneroster_checks() + [
    required('lineItemSourcedId'),
    required('studentSourcedId'),
    required('scoreStatus'),
    allowed('scoreStatus', [
        'exempt', 'fully graded', 'not submitted', 'partially graded', 'submitted',
    ], allows_extension=true),
    readable('score', 'number', refuses=false),
    required('scoreDate'),
    readable('scoreDate', 'date'),
    readable('inProgress', 'boolean', refuses=false),
    lower_case('inProgress'),
    readable('incomplete', 'boolean', refuses=false),
    lower_case('incomplete'),
    readable('late', 'boolean', refuses=false),
    lower_case('late'),
    readable('missing', 'boolean', refuses=false),
    lower_case('missing'),
] %}

with records as (
    select * from {{ source('raw_oneroster', 'results') }}
    where split_part(layout_version, '-', 1) in ('1.2', '1.2.1')
),

files as (
    select * from {{ ref('stg_landing__visible_files') }}
),

typed as (
    select
        {{ lineage() }},
        {{ text('sourcedId') }} as record_key,
        {{ text('sourcedId') }} as result_id,
        {{ text('lineItemSourcedId') }} as line_item_id,
        {{ text('studentSourcedId') }} as student_id,
        {{ text('scoreStatus') }} as score_status,
        {{ number('score') }} as score,
        {{ date('scoreDate') }} as score_date,
        {{ text('textScore') }} as text_score,
        {{ text('classSourcedId') }} as class_id,
        {{ boolean('inProgress') }} as is_in_progress,
        {{ boolean('incomplete') }} as is_incomplete,
        {{ boolean('late') }} as is_late,
        {{ boolean('missing') }} as is_missing,
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
            'result_id', 'line_item_id', 'student_id', 'score_status', 'score',
            'score_date', 'text_score', 'class_id', 'is_in_progress', 'is_incomplete',
            'is_late', 'is_missing', 'is_deleted', 'modified_at',
        ]) }} as content_hash
    from typed
)

select * from final

-- One row per record of an OneRoster results.csv file, layout 1.1.
{% set checks = oneroster_checks() + [
    required('lineItemSourcedId'),
    required('studentSourcedId'),
    required('scoreStatus'),
    allowed('scoreStatus', [
        'exempt', 'fully graded', 'not submitted', 'partially graded', 'submitted',
    ]),
    readable('score', 'number'),
    required_when('score', 'scoreStatus', ['fully graded', 'partially graded']),
    required('scoreDate'),
    readable('scoreDate', 'date'),
] %}

with records as (
    select * from {{ source('raw_oneroster', 'results') }}
    where split_part(layout_version, '-', 1) in ('1.1')
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
        cast(null as varchar) as text_score,
        cast(null as varchar) as class_id,
        cast(null as boolean) as is_in_progress,
        cast(null as boolean) as is_incomplete,
        cast(null as boolean) as is_late,
        cast(null as boolean) as is_missing,
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

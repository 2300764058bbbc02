-- One row per record of a mastery_overrides.csv file, layout 1.
{% set checks = oneroster_checks() + [
    required('studentSourcedId'),
    required('learningObjectiveId'),
    required('action'),
    allowed('action', ['clear', 'set']),
    required_when('state', 'action', ['set']),
    allowed('state', ['mastered', 'not_mastered']),
    required('effectiveAt'),
    readable('effectiveAt', 'instant'),
    required('teacherSourcedId'),
    required('reason'),
] %}

with records as (
    select * from {{ source('raw_overrides', 'mastery_overrides') }}
    where split_part(layout_version, '-', 1) in ('1')
),

files as (
    select * from {{ ref('stg_landing__visible_files') }}
),

typed as (
    select
        {{ lineage() }},
        {{ text('sourcedId') }} as record_key,
        {{ text('sourcedId') }} as override_id,
        {{ text('studentSourcedId') }} as student_id,
        {{ text('learningObjectiveId') }} as objective_id,
        {{ text('action') }} as action,
        {{ text('state') }} as state,
        {{ instant('effectiveAt') }} as effective_at,
        {{ text('teacherSourcedId') }} as teacher_id,
        {{ text('reason') }} as reason,
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
            'override_id', 'student_id', 'objective_id', 'action', 'state', 'effective_at',
            'teacher_id', 'reason', 'is_deleted', 'modified_at',
        ]) }} as content_hash
    from typed
)

select * from final

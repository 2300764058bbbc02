-- One row per record of an OneRoster enrollments.csv file, layouts 1.1, 1.2 and 1.2.1.
{% set checks = oneroster_checks() + [
    required('classSourcedId'),
    required('schoolSourcedId'),
    required('userSourcedId'),
    required('role'),
    allowed('role', [
        'administrator', 'aide', 'guardian', 'parent', 'proctor', 'relative', 'student',
        'teacher',
    ], allows_extension=true),
    readable('primary', 'boolean', refuses=false),
    lower_case('primary'),
    readable('beginDate', 'date', refuses=false),
    readable('endDate', 'date', refuses=false),
] %}

with records as (
    select * from {{ source('raw_oneroster', 'enrollments') }}
    where split_part(layout_version, '-', 1) in ('1.1', '1.2', '1.2.1')
),

files as (
    select * from {{ ref('stg_landing__visible_files') }}
),

typed as (
    select
        {{ lineage() }},
        {{ text('sourcedId') }} as record_key,
        {{ text('sourcedId') }} as enrollment_id,
        {{ text('classSourcedId') }} as class_id,
        {{ text('schoolSourcedId') }} as org_id,
        {{ text('userSourcedId') }} as user_id,
        {{ text('role') }} as role,
        {{ boolean('primary') }} as is_primary,
        {{ date('beginDate') }} as begin_date,
        {{ date('endDate') }} as end_date,
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
            'enrollment_id', 'class_id', 'org_id', 'user_id', 'role', 'is_primary',
            'begin_date', 'end_date', 'is_deleted', 'modified_at',
        ]) }} as content_hash
    from typed
)

select * from final

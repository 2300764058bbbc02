-- One row per record of an OneRoster academicSessions.csv file, layouts 1.1, 1.2 and 1.2.1.
{% set checks = oneroster_checks() + [
    required('title'),
    required('type'),
    allowed('type', [
        'gradingPeriod', 'schoolYear', 'semester', 'term',
    ], allows_extension=true),
    required('startDate'),
    readable('startDate', 'date'),
    required('endDate'),
    readable('endDate', 'date'),
    required('schoolYear'),
    readable('schoolYear', 'year', refuses=false),
] %}

with records as (
    select * from {{ source('raw_oneroster', 'academic_sessions') }}
    where split_part(layout_version, '-', 1) in ('1.1', '1.2', '1.2.1')
),

files as (
    select * from {{ ref('stg_landing__visible_files') }}
),

typed as (
    select
        {{ lineage() }},
        {{ text('sourcedId') }} as record_key,
        {{ text('sourcedId') }} as term_id,
        {{ text('title') }} as name,
        {{ text('type') }} as term_type,
        {{ date('startDate') }} as start_date,
        {{ date('endDate') }} as end_date,
        {{ text('parentSourcedId') }} as parent_term_id,
        {{ year('schoolYear') }} as school_year,
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
            'term_id', 'name', 'term_type', 'start_date', 'end_date', 'parent_term_id',
            'school_year', 'is_deleted', 'modified_at',
        ]) }} as content_hash
    from typed
)

select * from final

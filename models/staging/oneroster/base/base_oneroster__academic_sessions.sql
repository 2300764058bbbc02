-- One row per record of an OneRoster academicSessions.csv file, whatever the version of its layout.
{% set types = ['gradingPeriod', 'schoolYear', 'semester', 'term'] %}

with records as (
    {{ trimmed_records(source('raw_oneroster', 'academic_sessions')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ text('sourcedId') }} as record_key,
        {{ text('sourcedId') }} as term_id,
        {{ own_key('sourcedId') }} as term_key,
        {{ text('title') }} as name,
        {{ one_of('type', types) }} as term_type,
        {{ date('startDate') }} as start_date,
        {{ date('endDate') }} as end_date,
        {{ text('parentSourcedId') }} as parent_term_id,
        {{ roster_key('parentSourcedId') }} as parent_term_key,
        {{ year('schoolYear') }} as school_year,
        {{ is_deletion('status') }} as is_deleted,
        {{ instant('dateLastModified') }} as modified_at,
        {{ oneroster_violations([
            required('title'),
            required('type'),
            allowed('type', types),
            required('startDate'),
            readable('startDate', 'date'),
            plausible('startDate'),
            required('endDate'),
            readable('endDate', 'date'),
            plausible('endDate'),
            in_order('startDate', 'endDate'),
            required('schoolYear'),
            readable('schoolYear', 'year', rejects='false'),
            one_year('schoolYear'),
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    *,
    {{ is_rejected() }} as is_rejected,
    {{ content_hash() }} as content_hash
from typed

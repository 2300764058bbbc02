-- One row per record of a sections.csv file of Canvas, whatever the version of its layout.
{{ config(enabled=is_used('canvas')) }}

{% set statuses = ['active', 'deleted'] %}

with records as (
    {{ trimmed_records(source('raw_canvas', 'sections')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ text('section_id') }} as record_key,
        {{ text('section_id') }} as section_id,
        {{ own_key('section_id') }} as section_key,
        {{ text('course_id') }} as course_id,
        {{ text('name') }} as name,
        {{ text('status') }} as status,
        {{ instant('start_date') }} as start_at,
        {{ instant('end_date') }} as end_at,
        false as is_deleted,
        cast(null as timestamp) as modified_at,
        {{ violations([
            required('section_id'),
            required('course_id'),
            required('status'),
            readable('start_date', 'instant'),
            plausible('start_date'),
            readable('end_date', 'instant'),
            plausible('end_date'),
            known('status', statuses),
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    *,
    {{ is_rejected() }} as is_rejected,
    {{ content_hash() }} as content_hash
from typed

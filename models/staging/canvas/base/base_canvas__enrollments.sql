-- One row per record of an enrollments.csv file of Canvas, whatever the version of its layout.
{{ config(enabled=is_used('canvas')) }}

{% set statuses = ['active', 'completed', 'inactive', 'deleted', 'deleted_last_completed'] %}

with records as (
    {{ trimmed_records(source('raw_canvas', 'enrollments')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ canvas_enrollment_id() }} as record_key,
        {{ canvas_enrollment_id() }} as enrollment_id,
        {{ own_record_key(canvas_enrollment_id()) }} as enrollment_key,
        {{ text('course_id') }} as course_id,
        {{ instant('start_date') }} as start_at,
        {{ instant('end_date') }} as end_at,
        {{ text('user_id') }} as user_id,
        {{ text('role') }} as role,
        {{ text('role_id') }} as role_id,
        {{ text('section_id') }} as section_id,
        {{ text('status') }} as status,
        {{ text('associated_user_id') }} as observed_user_id,
        false as is_deleted,
        cast(null as timestamp) as modified_at,
        {{ violations([
            required('user_id'),
            required('status'),
            readable('start_date', 'instant'),
            plausible('start_date'),
            readable('end_date', 'instant'),
            plausible('end_date'),
            violation('REQUIRED_MISSING', 'section_id', text('course_id') ~ ' is null and ' ~ text('section_id') ~ ' is null', true),
            violation('REQUIRED_MISSING', 'role', text('role') ~ ' is null and ' ~ text('role_id') ~ ' is null', true),
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

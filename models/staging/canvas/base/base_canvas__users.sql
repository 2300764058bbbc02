-- One row per record of a users.csv file of Canvas, whatever the version of its layout.
{{ config(enabled=is_used('canvas')) }}

{% set statuses = ['active', 'suspended', 'deleted'] %}

with records as (
    {{ trimmed_records(source('raw_canvas', 'users')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ text('user_id') }} as record_key,
        {{ text('user_id') }} as user_id,
        {{ own_key('user_id') }} as user_key,
        {{ text('login_id') }} as login_id,
        {{ text('first_name') }} as given_name,
        {{ text('last_name') }} as family_name,
        {{ text('full_name') }} as full_name,
        {{ text('sortable_name') }} as sortable_name,
        {{ text('email') }} as email,
        {{ text('declared_user_type') }} as declared_user_type,
        {{ text('status') }} as status,
        false as is_deleted,
        cast(null as timestamp) as modified_at,
        {{ violations([
            required('user_id'),
            required('status'),
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

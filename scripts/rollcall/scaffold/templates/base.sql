-- One row per record of a [[ file_name ]] file.
{{ config(materialized='view', schema='staging') }}

with records as (
    {{ rollcall.trimmed_records(source('raw_[[ family ]]', '[[ name ]]')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ rollcall.lineage() }},
        [[ record_key ]] as record_key,
        [% for column in columns %]
        {{ rollcall.[[ column.macro ]]('[[ column.raw ]]') }} as [[ column.name ]],
        [% endfor %]
        false as is_deleted,
        cast(null as timestamp) as modified_at,
        {{ rollcall.violations([
            [% for check in checks %]
            rollcall.[[ check ]],
            [% endfor %]
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    typed.*,
    typed.record_key as [[ name ]]_id,
    typed.source_id || ':' || typed.record_key as [[ name ]]_key,
    {{ rollcall.is_rejected() }} as is_rejected,
    {{ rollcall.content_hash() }} as content_hash
from typed

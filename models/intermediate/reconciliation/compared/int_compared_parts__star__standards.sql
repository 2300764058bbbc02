-- One row per file of star/standards and SchoolYear that it lists: a bulk is whole of what it lists, and says nothing
-- of the rest. Written by `rollcall layouts compare`.
{{ config(materialized='table', enabled=is_used('star')) }}

with files as (
    select * from {{ ref('int_compared_files') }}
    where feed = 'star/standards'
),

trimmed_records as (
    select
        file_id,
        nullif(regexp_replace(schoolyear, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'), '') as schoolyear
    from {{ source('raw_star', 'standards') }}
),

listed as (
    select distinct
        files.*,
        try_cast(left(records.schoolyear, 4) as integer) + cast(length(records.schoolyear) > 4 as integer) as part
    from trimmed_records as records
    inner join files on records.file_id = files.file_id
),

bulks as (
    select
        *,
        row_number() over (
            partition by source_id, part order by exported_at desc, status = 'pending' desc, file_id desc
        ) as recency,
        max(exported_at) filter (where status = 'visible' and removals = 'applied') over (
            partition by source_id, part
        ) as latest_bulk_exported_at
    from listed
    where mode = 'bulk' and status in ('visible', 'pending')
)

select
    listed.source_id,
    listed.file_id,
    listed.part,
    listed.status in ('visible', 'pending', 'held')
    and coalesce(listed.exported_at >= bulks.exported_at, true) as is_in_scope,
    bulks.file_id as newest_bulk_file_id,
    bulks.latest_bulk_exported_at
from listed
left join bulks
    on listed.source_id = bulks.source_id and listed.part is not distinct from bulks.part and bulks.recency = 1

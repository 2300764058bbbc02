-- Finds: differences between the newest files and the marts that have no reason.
-- Matters: each is a fault of the warehouse: it lost, invented or changed what a source says.
-- Do: look at the record of the file that the sentence names, and first at the layer that it suspects.
with differences as (
    select
        'missing' as kind,
        feed,
        column_name,
        suspected_layer,
        file_id,
        record_number
    from {{ ref('recon_missing_record') }}
    where not is_explained

    union all

    select
        case when processed_row_count > 1 then 'duplicate' else 'unexpected' end as kind,
        feed,
        column_name,
        suspected_layer,
        file_id,
        record_number
    from {{ ref('recon_unexpected_record') }}
    where not is_explained

    union all

    select
        'diverging' as kind,
        feed,
        column_name,
        suspected_layer,
        file_id,
        record_number
    from {{ ref('recon_diverging_value') }}
    where not is_explained
),

files as (
    select * from {{ source('landing', 'files') }}
)

select
    differences.*,
    differences.feed || ': ' || differences.kind || ' (' || differences.column_name || ') without a reason; '
    || coalesce('record ' || differences.record_number || ' of ', '')
    || coalesce(files.delivery_name || '/' || files.file_name, 'no file')
    || '. Look at the layer ' || differences.suspected_layer || ' first.' as remedy
from differences
left join files on differences.file_id = files.file_id
order by differences.feed, differences.kind, differences.file_id, differences.record_number

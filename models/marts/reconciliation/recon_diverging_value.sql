-- One row per value that differs between the newest files and the marts, with the reason.
with differences as (
    select * from {{ ref('int_differences_explained') }}
    where kind = 'diverging'
),

names as (
    select * from {{ source('landing', 'layout_columns') }}
),

differing_values as (
    select
        differences.* exclude (differences),
        unnest(differences.differences) as difference
    from differences
),

diverging as (
    select
        found.source_id,
        found.feed,
        found.record_key,
        names.column_name,
        found.difference['processed_column'] as processed_column,
        found.difference['source_value'] as source_value,
        found.difference['processed_value'] as processed_value,
        found.difference['is_staged'] as is_staged,
        case
            when list_contains(found.ignored_columns, found.difference['raw_column']) then 'rejected'
            else found.reason
        end as reason,
        found.file_id,
        found.record_number,
        found.line_number
    from differing_values as found
    left join names
        on
            found.feed = names.feed
            and found.layout_version = names.layout_version
            and found.difference['raw_column'] = names.raw_column

    union all by name

    -- Every value agrees, but the row does not say rightly where it comes from.
    select
        source_id,
        feed,
        record_key,
        'record number' as column_name,
        'record_number' as processed_column,
        cast(record_number as varchar) as source_value,
        cast(processed_record_number as varchar) as processed_value,
        reason,
        file_id,
        record_number,
        line_number
    from differences
    where reason = 'unexplained' and len(differences) = 0

    union all by name

    select
        *,
        processed_column as column_name,
        'unresolved' as reason
    from {{ ref('int_compared_references') }}
),

final as (
    select
        source_id,
        feed,
        record_key,
        column_name,
        processed_column,
        source_value,
        processed_value,
        reason,
        reason <> 'unexplained' as is_explained,
        case
            when reason <> 'unexplained' then null
            when is_staged then 'staging'
            else 'mart'
        end as suspected_layer,
        file_id,
        record_number,
        line_number
    from diverging
)

select * from final

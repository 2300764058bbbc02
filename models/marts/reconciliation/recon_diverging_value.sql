-- One row per value that differs between the newest files and the marts, with the reason.
with differences as (
    select * from {{ ref('int_differences_explained') }}
    where kind = 'diverging'
),

names as (
    select * from {{ source('landing', 'layout_columns') }}
),

staged as (
    select
        feed,
        source_id,
        record_key,
        flatten(list(staged_values order by staged_values)) as staged_values
    from {{ ref('int_compared_staged') }}
    group by feed, source_id, record_key
),

differing_values as (
    select
        * exclude (differences, reason),
        reason as reason_of_record,
        unnest(differences) as difference
    from differences
),

diverging as (
    select
        found.*,
        names.column_name,
        found.difference['processed_column'] as processed_column,
        found.difference['source_value'] as source_value,
        found.difference['processed_value'] as processed_value,
        case
            when list_contains(found.ignored_columns, found.difference['raw_column']) then 'rejected'
            else found.reason_of_record
        end as reason
    from differing_values as found
    left join names
        on
            found.feed = names.feed
            and found.layout_version = names.layout_version
            and found.difference['raw_column'] = names.raw_column

    union all by name

    -- Every value agrees, but the row does not say rightly where it comes from.
    select
        * exclude (differences),
        'record number' as column_name,
        'record_number' as processed_column,
        cast(record_number as varchar) as source_value,
        cast(processed_record_number as varchar) as processed_value
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
        diverging.source_id,
        diverging.feed,
        diverging.record_key,
        diverging.column_name,
        diverging.processed_column,
        diverging.source_value,
        diverging.processed_value,
        diverging.reason,
        diverging.reason <> 'unexplained' as is_explained,
        case
            when diverging.reason <> 'unexplained' then null
            when list_contains(
                staged.staged_values,
                { 'column': diverging.processed_column, 'staged_value': diverging.processed_value }
            ) then 'staging'
            else 'mart'
        end as suspected_layer,
        diverging.file_id,
        diverging.record_number,
        diverging.line_number
    from diverging
    left join staged
        on
            diverging.feed = staged.feed
            and diverging.source_id = staged.source_id
            and diverging.record_key = staged.record_key
)

select * from final

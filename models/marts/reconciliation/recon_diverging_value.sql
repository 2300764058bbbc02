-- One row per value that differs between the newest exports and the marts, with the reason.
with differences as (
    select * from {{ ref('int_differences_explained') }}
    where kind = 'diverging'
),

ignored_values as (
    select distinct
        file_id,
        record_number,
        column_name
    from {{ ref('audit_record_warning') }}
    where code = 'OPTIONAL_VALUE_IGNORED'
),

found_values as (
    select
        differences.* exclude (differences),
        unnest(differences.differences) as difference
    from differences
),

compared_values as (
    select
        found_values.source_id,
        found_values.feed,
        found_values.record_key,
        found_values.difference.column_name,
        found_values.difference.processed_column,
        found_values.difference.source_value,
        found_values.difference.processed_value,
        found_values.reason,
        found_values.file_id,
        found_values.record_number,
        found_values.line_number
    from found_values

    union all

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
),

staged as (
    select
        source_id,
        feed,
        record_key,
        unnest(staged_values) as staged
    from {{ ref('int_staged_in_doubt') }}
),

reasoned as (
    select
        compared_values.* exclude (reason),
        case when ignored_values.file_id is null then compared_values.reason else 'rejected' end
            as reason,
        coalesce(staged.staged.staged_value = compared_values.processed_value, false) as is_staged_alike
    from compared_values
    left join ignored_values
        on
            compared_values.file_id = ignored_values.file_id
            and compared_values.record_number = ignored_values.record_number
            and compared_values.column_name = ignored_values.column_name
    left join staged
        on
            compared_values.source_id = staged.source_id
            and compared_values.feed = staged.feed
            and compared_values.record_key = staged.record_key
            and compared_values.processed_column = staged.staged.processed_column
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
        case when reason = 'unexplained' then case when is_staged_alike then 'staging' else 'mart' end end
            as suspected_step,
        file_id,
        record_number,
        line_number
    from reasoned

    union all

    select
        source_id,
        feed,
        record_key,
        processed_column as column_name,
        processed_column,
        source_value,
        cast(null as varchar) as processed_value,
        'awaiting' as reason,
        true as is_explained,
        cast(null as varchar) as suspected_step,
        file_id,
        record_number,
        line_number
    from {{ ref('int_references_awaited') }}
)

select * from final

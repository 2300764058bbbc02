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

compared_values as (
    select
        * exclude (differences),
        unnest(differences, recursive := true)
    from differences

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
),

staged_values as (
    select
        source_id,
        feed,
        record_key,
        unnest(staged_values, recursive := true)
    from {{ ref('int_staged_in_doubt') }}
),

reasoned as (
    select
        compared_values.*,
        case when ignored_values.file_id is not null then 'rejected' else compared_values.reason end as value_reason
    from compared_values
    left join ignored_values
        on
            compared_values.file_id = ignored_values.file_id
            and compared_values.record_number = ignored_values.record_number
            and compared_values.column_name = ignored_values.column_name
),

final as (
    select
        reasoned.source_id,
        reasoned.feed,
        reasoned.record_key,
        reasoned.column_name,
        reasoned.processed_column,
        reasoned.source_value,
        reasoned.processed_value,
        reasoned.value_reason as reason,
        reasoned.value_reason <> 'unexplained' as is_explained,
        case
            when reasoned.value_reason <> 'unexplained' then null
            when staged_values.staged_value is not distinct from reasoned.processed_value then 'staging'
            else 'mart'
        end as suspected_step,
        reasoned.file_id,
        reasoned.record_number,
        reasoned.line_number
    from reasoned
    left join staged_values using (source_id, feed, record_key, processed_column)

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

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

diverging as (
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

final as (
    select
        diverging.* exclude (reason),
        case when ignored_values.file_id is null then diverging.reason else 'rejected' end as reason
    from diverging
    left join ignored_values using (file_id, record_number, column_name)
)

select * from final

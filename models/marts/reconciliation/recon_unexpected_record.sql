-- One row per active row of a mart that the newest files do not hold, or that stands there twice.
with differences as (
    select * from {{ ref('int_differences_explained') }}
    where kind = 'unexpected'
),

final as (
    select
        source_id,
        feed,
        record_key,
        'sourcedId' as column_name,
        cast(null as varchar) as source_value,
        record_key as processed_value,
        row_count as processed_row_count,
        reason,
        reason <> 'unexplained' as is_explained,
        case
            when reason <> 'unexplained' then null
            when staged_count > 0 and not has_origin then 'landing'
            when staged_count > 1 then 'staging'
            else 'mart'
        end as suspected_layer,
        processed_file_id as file_id,
        processed_record_number as record_number
    from differences
)

select * from final

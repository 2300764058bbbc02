-- One row per record that the newest files hold and the marts do not show, with the reason.
with differences as (
    select * from {{ ref('int_differences_explained') }}
    where kind = 'missing'
),

final as (
    select
        source_id,
        feed,
        record_key,
        'sourcedId' as column_name,
        record_key as source_value,
        cast(null as varchar) as processed_value,
        processed_file_id is not null as is_processed_inactive,
        reason,
        reason <> 'unexplained' as is_explained,
        case
            when reason <> 'unexplained' then null
            when staged_count is null then 'staging'
            else 'mart'
        end as suspected_layer,
        file_id,
        record_number,
        line_number
    from differences
)

select * from final

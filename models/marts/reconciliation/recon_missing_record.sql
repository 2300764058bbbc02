-- One row per record that the newest exports hold and the marts do not show, with the reason.
with differences as (
    select * from {{ ref('int_differences_explained') }}
    where kind = 'missing'
),

staged as (
    select * from {{ ref('int_staged_in_doubt') }}
),

final as (
    select
        differences.source_id,
        differences.feed,
        differences.record_key,
        'sourcedId' as column_name,
        differences.record_key as source_value,
        cast(null as varchar) as processed_value,
        differences.is_known as is_processed_inactive,
        differences.reason,
        differences.reason <> 'unexplained' as is_explained,
        case
            when differences.reason = 'unexplained'
                then case when staged.record_key is null then 'staging' else 'mart' end
        end as suspected_step,
        differences.file_id,
        differences.record_number,
        differences.line_number
    from differences
    left join staged using (source_id, feed, record_key)
)

select * from final

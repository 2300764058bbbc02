-- One row per active row of a mart that the newest exports do not hold, or that stands there twice.
with differences as (
    select * from {{ ref('int_differences_explained') }}
    where kind = 'unexpected'
),

repeated as (
    select * from {{ ref('int_rows_repeated') }}
),

staged as (
    select
        staged.source_id,
        staged.feed,
        staged.record_key,
        count(*) as row_count,
        bool_and(origins.file_id is null) as is_origin_lost
    from {{ ref('int_staged_in_doubt') }} as staged
    left join {{ ref('int_origins_read') }} as origins
        on
            staged.source_id = origins.source_id
            and staged.feed = origins.feed
            and staged.record_key = origins.record_key
    group by staged.source_id, staged.feed, staged.record_key
),

unexpected as (
    select
        source_id,
        feed,
        record_key,
        1 as row_count,
        reason,
        coalesce(processed_file_id, file_id) as file_id,
        coalesce(processed_record_number, record_number) as record_number
    from differences

    union all

    select
        source_id,
        feed,
        record_key,
        row_count,
        'unexplained' as reason,
        file_id,
        record_number
    from repeated
),

final as (
    select
        unexpected.source_id,
        unexpected.feed,
        unexpected.record_key,
        'sourcedId' as column_name,
        cast(null as varchar) as source_value,
        unexpected.record_key as processed_value,
        unexpected.row_count as processed_row_count,
        unexpected.reason,
        unexpected.reason <> 'unexplained' as is_explained,
        case
            when unexpected.reason <> 'unexplained' then null
            when staged.is_origin_lost then 'landing'
            when staged.row_count > 1 then 'staging'
            else 'mart'
        end as suspected_step,
        unexpected.file_id,
        unexpected.record_number
    from unexpected
    left join staged using (source_id, feed, record_key)
)

select * from final

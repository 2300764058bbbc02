-- One row per active row of a mart that the newest files do not hold, or that stands there twice.
with differences as (
    select * from {{ ref('int_differences_explained') }}
    where kind = 'unexpected'
),

staged as (
    select
        feed,
        source_id,
        record_key,
        count(*) as row_count
    from {{ ref('int_compared_staged') }}
    group by feed, source_id, record_key
),

keys as (
    select
        feed,
        min(column_name) as column_name
    from (
        select
            feed,
            string_agg(column_name, ' | ' order by position) as column_name
        from {{ source('landing', 'layout_columns') }}
        where is_key
        group by feed, layout_version
    ) as of_version
    group by feed
),

final as (
    select
        differences.source_id,
        differences.feed,
        differences.record_key,
        keys.column_name,
        cast(null as varchar) as source_value,
        differences.record_key as processed_value,
        differences.row_count as processed_row_count,
        differences.reason,
        differences.reason <> 'unexplained' as is_explained,
        case
            when differences.reason <> 'unexplained' then null
            when staged.row_count > 0 and not differences.has_origin then 'landing'
            when staged.row_count > 1 then 'staging'
            else 'mart'
        end as suspected_layer,
        differences.processed_file_id as file_id,
        differences.processed_record_number as record_number
    from differences
    left join keys using (feed)
    left join staged
        on
            differences.feed = staged.feed
            and differences.source_id = staged.source_id
            and differences.record_key = staged.record_key
)

select * from final

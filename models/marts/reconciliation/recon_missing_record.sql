-- One row per record that the newest files hold and the marts do not show, with the reason.
with differences as (
    select * from {{ ref('int_differences_explained') }}
    where kind = 'missing'
),

staged as (
    select distinct
        feed,
        source_id,
        record_key
    from {{ ref('int_compared_staged') }}
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
        differences.record_key as source_value,
        cast(null as varchar) as processed_value,
        differences.processed_file_id is not null as is_processed_inactive,
        differences.reason,
        differences.reason <> 'unexplained' as is_explained,
        case
            when differences.reason <> 'unexplained' then null
            when staged.record_key is null then 'staging'
            else 'mart'
        end as suspected_layer,
        differences.file_id,
        differences.record_number,
        differences.line_number
    from differences
    left join keys using (feed)
    left join staged
        on
            differences.feed = staged.feed
            and differences.source_id = staged.source_id
            and differences.record_key = staged.record_key
)

select * from final

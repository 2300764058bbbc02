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
        where is_key and staged_as is not null
        group by feed, layout_version
    ) as of_version
    group by feed
),

-- Of a file rejected as a whole no record is stored; all are missing until a file as new is taken.
rejected_files as (
    select
        files.*,
        count(case when files.is_visible then 1 end) over (
            partition by files.source_id, files.feed, files.exported_at
        ) as taken_count
    from {{ ref('stg_landing__files') }} as files
),

rejected_records as (
    select
        source_id,
        feed,
        file_id,
        unnest(range(1, record_count + 1)) as record_number
    from rejected_files
    where
        status = 'rejected'
        and taken_count = 0
        and coalesce(exported_at > latest_bulk_exported_at, true)
),

of_files as (
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
),

final as (
    select * from of_files
    union all by name
    select
        rejected_records.*,
        keys.column_name,
        false as is_processed_inactive,
        'rejected' as reason,
        true as is_explained
    from rejected_records
    inner join keys on rejected_records.feed = keys.feed
)

select * from final

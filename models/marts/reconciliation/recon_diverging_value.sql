-- One row per value that differs between the newest exports and the marts, with the reason.
with diverging as (
    select * from {{ ref('int_values_diverging') }}
),

staged as (
    select
        source_id,
        feed,
        record_key,
        unnest(staged_values) as staged
    from {{ ref('int_staged_in_doubt') }}
),

compared as (
    select
        diverging.*,
        coalesce(staged.staged.staged_value = diverging.processed_value, false) as is_staged_alike
    from diverging
    left join staged
        on
            diverging.source_id = staged.source_id
            and diverging.feed = staged.feed
            and diverging.record_key = staged.record_key
            and diverging.processed_column = staged.staged.processed_column
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
    from compared

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

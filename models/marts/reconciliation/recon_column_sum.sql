-- One row per source, feed and number: do the sums of source and processed state agree, but for what differs?
with summed as (
    select * from {{ ref('int_numbers_summed') }}
),

unmatched as (
    select * from {{ ref('int_records_unmatched') }}
),

files as (
    select * from {{ ref('int_files_reconciled') }}
),

pending as (
    select distinct
        source_id,
        feed
    from files
    where standing = 'pending'
),

numbers as (
    select
        unmatched.source_id,
        unmatched.feed,
        unmatched.record_key,
        unmatched.file_id,
        files.is_visible and not unmatched.is_deletion as is_claim,
        unmatched.is_active,
        unmatched.file_id = unmatched.processed_file_id
        and unmatched.record_number = unmatched.processed_record_number as is_origin,
        origin_files.file_id is not null as is_origin_in_scope,
        unnest(unmatched.numbers) as number
    from unmatched
    left join files on unmatched.file_id = files.file_id
    left join {{ ref('int_origins_read') }} as origins
        on
            unmatched.source_id = origins.source_id
            and unmatched.feed = origins.feed
            and unmatched.record_key = origins.record_key
    left join files as origin_files
        on origins.file_id = origin_files.file_id and origin_files.is_in_scope and origin_files.is_visible
),

source_differences as (
    select
        numbers.source_id,
        numbers.feed,
        numbers.number.column_name as processed_column,
        sum(numbers.number.source_number) as differing_sum
    from numbers
    where numbers.is_claim
    group by numbers.source_id, numbers.feed, numbers.number.column_name
),

rows_in_doubt as (
    select
        numbers.source_id,
        numbers.feed,
        numbers.record_key,
        numbers.number.column_name as processed_column,
        max(numbers.number.processed_number) as processed_number
    from numbers
    where numbers.is_active
    group by numbers.source_id, numbers.feed, numbers.record_key, numbers.number.column_name
    having not bool_or(numbers.is_origin_in_scope) or bool_or(coalesce(numbers.is_origin, false))
),

processed_differences as (
    select
        source_id,
        feed,
        processed_column,
        sum(processed_number) as differing_sum
    from rows_in_doubt
    group by source_id, feed, processed_column
),

final as (
    select
        summed.source_id,
        summed.feed,
        summed.processed_column as column_name,
        coalesce(summed.source_sum, 0) as source_sum,
        coalesce(source_differences.differing_sum, 0) as differing_source_sum,
        coalesce(summed.processed_sum, 0) as processed_sum,
        coalesce(processed_differences.differing_sum, 0) as differing_processed_sum
    from summed
    left join source_differences using (source_id, feed, processed_column)
    left join processed_differences using (source_id, feed, processed_column)
    left join pending using (source_id, feed)
    where pending.source_id is null
)

select
    *,
    source_sum - differing_source_sum = processed_sum - differing_processed_sum as is_equal
from final

-- One row per source, feed and number: do the sums of source and processed state agree, but for what differs?
with numbers as (
    select * from {{ ref('int_compared_numbers') }}
),

source_records as (
    select * from {{ ref('int_source_records') }}
),

pending as (
    select distinct
        source_id,
        feed
    from {{ ref('int_compared_files') }}
    where status = 'pending'
),

records_in_doubt as (
    select distinct
        file_id,
        record_number
    from source_records
    where file_id is not null
),

-- A row whose record counts and is not in doubt itself is accounted for, whatever else is said of its key.
rows_in_doubt as (
    select
        source_id,
        feed,
        record_key
    from source_records
    where is_active
    group by source_id, feed, record_key
    having not bool_or(is_origin_in_scope) or bool_or(is_origin)
),

sums as (
    select
        numbers.source_id,
        numbers.feed,
        numbers.column_name,
        coalesce(sum(numbers.source_number), 0) as source_sum,
        coalesce(sum(case when records_in_doubt.file_id is not null then numbers.source_number end), 0)
            as differing_source_sum,
        coalesce(sum(numbers.processed_number), 0) as processed_sum,
        coalesce(sum(case when rows_in_doubt.source_id is not null then numbers.processed_number end), 0)
            as differing_processed_sum
    from numbers
    left join records_in_doubt
        on
            numbers.record_key is null
            and numbers.file_id = records_in_doubt.file_id
            and numbers.record_number = records_in_doubt.record_number
    left join rows_in_doubt
        on
            numbers.source_id = rows_in_doubt.source_id
            and numbers.feed = rows_in_doubt.feed
            and numbers.record_key = rows_in_doubt.record_key
    group by numbers.source_id, numbers.feed, numbers.column_name
),

final as (
    select
        sums.*,
        sums.source_sum - sums.differing_source_sum
        = sums.processed_sum - sums.differing_processed_sum as is_equal
    from sums
    left join pending on sums.source_id = pending.source_id and sums.feed = pending.feed
    where pending.source_id is null
)

select * from final

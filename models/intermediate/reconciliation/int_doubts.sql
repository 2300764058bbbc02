-- One row per doubt: a record that its mart does not hold as it is, an active row that no record names, or
-- a key that stands twice; with what its record says, and the record of which its row says it is made.
{{ config(materialized='ephemeral') }}

with compared as (
    select * from {{ ref('int_compared_records') }}
),

doubts as (
    select * from compared
    where kind = 'doubt'
),

records as (
    select * from compared
    where kind = 'record'
),

named_keys as (
    select
        feed,
        source_id,
        record_key,
        file_id as newest_bulk_file_id
    from compared
    where kind = 'present_key'
    union all
    select
        files.feed,
        files.source_id,
        malformed.record_key,
        cast(null as varchar) as newest_bulk_file_id
    from {{ source('landing', 'malformed_records') }} as malformed
    inner join {{ ref('int_compared_files') }} as files
        on malformed.file_id = files.file_id and files.is_since_latest_bulk and not files.is_in_scope
),

present_keys as (
    select
        feed,
        source_id,
        record_key,
        max(newest_bulk_file_id) as newest_bulk_file_id
    from named_keys
    group by feed, source_id, record_key
),

final as (
    select
        doubts.feed,
        doubts.source_id,
        doubts.record_key,
        doubts.file_id,
        doubts.record_number,
        doubts.line_number,
        doubts.is_malformed,
        doubts.processed_file_id,
        doubts.processed_record_number,
        coalesce(doubts.is_active, false) as is_active,
        doubts.row_count,
        coalesce(records.is_deletion, false) as is_deletion,
        records.modified_at,
        records.compared_values,
        origins.file_id is not null as has_origin,
        coalesce(origins.is_deletion, false) as is_origin_deletion,
        origins.modified_at as origin_modified_at,
        origins.compared_values as origin_values,
        origins.is_in_scope as is_origin_in_scope,
        present_keys.record_key is not null as is_present,
        present_keys.newest_bulk_file_id
    from doubts
    left join records on doubts.file_id = records.file_id and doubts.record_number = records.record_number
    left join records as origins
        on
            doubts.processed_file_id = origins.file_id
            and doubts.processed_record_number = origins.record_number
            and doubts.source_id = origins.source_id
            and doubts.record_key = origins.record_key
    left join present_keys
        on
            doubts.feed = present_keys.feed
            and doubts.source_id = present_keys.source_id
            and doubts.record_key = present_keys.record_key
)

select * from final

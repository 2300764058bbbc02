-- One row per key that a mart holds more than once.
{%- set feeds = reconciled_feeds() %}
with files as (
    select * from {{ ref('int_files_reconciled') }}
),

refused as (
    select
        file_id,
        count(distinct record_number) as refused_count
    from {{ ref('audit_rejected_record') }}
    group by file_id
),

passed_over as (
    select
        unmatched.file_id,
        count(*) as passed_over_count
    from {{ ref('int_records_unmatched') }} as unmatched
    left join {{ ref('audit_rejected_record') }} as rejected
        on unmatched.file_id = rejected.file_id and unmatched.record_number = rejected.record_number
    where
        rejected.file_id is null
        and (
            unmatched.file_id is distinct from unmatched.processed_file_id
            or unmatched.record_number is distinct from unmatched.processed_record_number
        )
    group by unmatched.file_id
),

-- A record of a file in scope has one row, unless it is refused or another record of its key has it.
expected as (
    select
        files.file_id,
        ledger_files.record_count
        - coalesce(refused.refused_count, 0)
        - coalesce(passed_over.passed_over_count, 0) as row_count
    from files
    inner join {{ source('landing', 'files') }} as ledger_files using (file_id)
    left join refused using (file_id)
    left join passed_over using (file_id)
    where files.is_in_scope and files.is_visible
),

counted as (
    {% for feed in feeds %}
        {{ rows_of_files(feed) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- Looking at all keys of all marts costs more than counting; only these files can hold repeats.
doubtful_files as (
    select counted.file_id
    from counted
    left join expected using (file_id)
    where counted.row_count > expected.row_count or expected.file_id is null
),

repeated as (
    {% for feed in feeds %}
        {{ rows_repeated(feed, 'doubtful_files') }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from repeated

-- One row per export of a due feed that the schedule set: which cycle saw it first.
with expected_exports as (
    select
        *,
        lead(expected_at) over (partition by source_id, feed order by expected_at) as next_expected_at
    from {{ source('landing', 'expected_exports') }}
),

files as (
    select * from {{ ref('stg_landing__visible_files') }}
),

final as (
    select
        expected_exports.source_id,
        expected_exports.feed,
        expected_exports.expected_at,
        expected_exports.due_at,
        expected_exports.cycle_id as due_by_cycle_id,
        min(files.first_cycle_id) as met_by_cycle_id
    from expected_exports
    left join files
        on
            expected_exports.source_id = files.source_id
            and expected_exports.feed = files.feed
            and expected_exports.expected_at <= files.exported_at
            and files.exported_at < coalesce(expected_exports.next_expected_at, timestamp '9999-12-31')
    group by
        expected_exports.source_id,
        expected_exports.feed,
        expected_exports.expected_at,
        expected_exports.due_at,
        expected_exports.cycle_id
)

select * from final

-- One row per file that the processed state is compared with: taken, still to be taken, or held.
with files as (
    select * from {{ source('landing', 'files') }}
),

cycle_files as (
    select * from {{ source('landing', 'cycle_files') }}
),

cycle_decisions as (
    select * from {{ source('landing', 'cycle_decisions') }}
),

processed as (
    select coalesce(max(cycle_id), 0) as cycle_id
    from {{ ref('stg_landing__cycles') }}
),

decided as (
    select
        decisions.file_id,
        max_by(decisions.decision, decisions.decision_id) as decision,
        max_by(decisions.decision, decisions.decision_id) filter (
            cycle_decisions.cycle_id <= processed.cycle_id
        ) as processed_decision
    from {{ source('landing', 'decisions') }} as decisions
    cross join processed
    left join cycle_decisions on decisions.decision_id = cycle_decisions.decision_id
    group by decisions.file_id
),

standing as (
    select
        files.file_id,
        files.source_id,
        files.feed,
        files.raw_table,
        files.mode,
        files.exported_at,
        case
            when files.verdict = 'held' and coalesce(decided.decision <> 'release', true) then 'held'
            when cycle_files.cycle_id <= processed.cycle_id then 'visible'
            else 'pending'
        end as standing,
        case
            when not files.are_removals_held or decided.processed_decision = 'release' then 'applied'
            when decided.decision = 'release' then 'pending'
            else 'held'
        end as removals
    from files
    cross join processed
    left join decided on files.file_id = decided.file_id
    left join cycle_files on files.file_id = cycle_files.file_id
    where
        files.raw_table is not null
        and (
            (
                files.verdict = 'accepted'
                and coalesce(decided.processed_decision <> 'supersede', true)
                and coalesce(
                    decided.decision <> 'supersede' or cycle_files.cycle_id <= processed.cycle_id, true
                )
            )
            or (files.verdict = 'held' and coalesce(decided.decision <> 'refuse', true))
        )
),

bulks as (
    select
        source_id,
        feed,
        max(exported_at) as newest_at,
        max_by(file_id, (exported_at, standing = 'pending', file_id)) as newest_file_id,
        max(exported_at) filter (standing = 'visible' and removals = 'applied') as in_force_at
    from standing
    where mode = 'bulk' and standing <> 'held'
    group by source_id, feed
),

final as (
    select
        standing.*,
        standing.standing = 'visible' as is_visible,
        coalesce(standing.exported_at >= bulks.newest_at, true) as is_in_scope,
        standing.standing = 'visible' and coalesce(standing.exported_at >= bulks.in_force_at, true)
            as is_sighting,
        coalesce(standing.file_id = bulks.newest_file_id, false) as is_newest_bulk
    from standing
    left join bulks on standing.source_id = bulks.source_id and standing.feed = bulks.feed
)

select * from final

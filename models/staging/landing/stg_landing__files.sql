-- One row per landed file: what became of it by the current cycle, and what staging has to know of it.
{{ config(tags=['reconciliation']) }}
with seen as (
    {{ seen_files() }}
),

files as (
    select
        files.*,
        seen.frozen_from_cycle_id,
        cycles.cycle_id as first_cycle_id,
        cycles.as_of as visible_at,
        coalesce(cycles.is_current, false) as is_new
    from {{ source('landing', 'files') }} as files
    inner join seen on files.file_id = seen.file_id
    left join {{ ref('stg_landing__cycles') }} as cycles on seen.first_cycle_id = cycles.cycle_id
),

-- The last decision by the current cycle counts; a later one is known but has no effect yet.
decided as (
    select
        decisions.file_id,
        max_by(decisions.decision, decisions.decision_id) as last_decision,
        max_by(decisions.decision, decisions.decision_id) filter (where cycles.cycle_id is not null) as decision,
        max_by(decisions.reason, decisions.decision_id) filter (where cycles.cycle_id is not null) as decision_reason,
        max_by(decisions.decided_by, decisions.decision_id) filter (where cycles.cycle_id is not null) as decided_by
    from {{ source('landing', 'decisions') }} as decisions
    inner join files using (file_id)
    left join {{ source('landing', 'cycle_decisions') }} as cycle_decisions using (decision_id)
    left join {{ ref('stg_landing__cycles') }} as cycles on cycle_decisions.cycle_id = cycles.cycle_id
    where files.frozen_from_cycle_id is null or cycles.cycle_id < files.frozen_from_cycle_id
    group by decisions.file_id
),

staged_layouts as (
    select
        feed,
        layout_version,
        array_agg(raw_column order by position) filter (where is_required in ('yes', 'in_part')) as required_columns,
        array_agg(raw_column order by position) filter (where allows_extension) as extensible_columns
    from {{ source('landing', 'layout_columns') }}
    where staged_as is not null
    group by feed, layout_version
),

judged as (
    select
        files.* exclude (frozen_from_cycle_id), -- noqa: RF02
        sources.roster_source_id,
        sources.time_zone,
        case when sources.naive_times = 'local' then sources.time_zone else 'UTC' end as naive_time_zone,
        {{ day_in_zone('files.exported_at', 'sources.time_zone') }} as export_date,
        decided.decision,
        decided.decision_reason,
        decided.decided_by,
        case
            when files.verdict = 'rejected' then 'rejected'
            when decided.decision = 'supersede' then 'superseded'
            when files.first_cycle_id is not null then 'visible'
            when decided.last_decision = 'supersede' then 'superseded'
            when decided.last_decision = if(files.are_removals_held, 'withdraw', 'refuse') then 'rejected'
            when files.verdict = 'held' and coalesce(decided.last_decision <> 'release', true) then 'held'
            else 'pending'
        end as status,
        case
            when decided.decision = 'release' then 'applied'
            when files.are_removals_held then case decided.last_decision when 'release' then 'pending' else 'held' end
            when files.mode = 'bulk' and (files.record_count = 0 or files.file_id in ({{ incomplete_files() }}))
                then 'incomplete'
            else 'applied'
        end as removals,
        staged_layouts.feed is not null as has_staged_layout,
        coalesce(staged_layouts.required_columns, []) as required_columns,
        coalesce(staged_layouts.extensible_columns, []) as extensible_columns
    from files
    left join {{ ref('sources') }} as sources using (source_id)
    left join decided using (file_id)
    left join staged_layouts using (feed, layout_version)
),

final as (
    select
        * exclude (are_removals_held),
        status = 'visible' as is_visible,
        status = 'visible' and has_staged_layout as is_staged,
        removals in ('held', 'pending') as are_removals_held,
        -- What is not staged removes nothing: nobody compared its keys with those of before.
        max(exported_at) filter (
            where status = 'visible' and has_staged_layout and mode = 'bulk' and removals = 'applied'
        ) over (partition by source_id, feed) as latest_bulk_exported_at
    from judged
)

select
    *,
    latest_bulk_exported_at is not null as has_latest_bulk,
    is_staged and coalesce(exported_at >= latest_bulk_exported_at, mode = 'bulk') as is_since_latest_bulk
from final

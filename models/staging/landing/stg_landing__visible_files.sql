-- One row per file that the newest cycle may see: accepted or released, and not replaced.
with files as (
    select * from {{ source('landing', 'files') }}
),

cycles as (
    select * from {{ source('landing', 'cycles') }}
),

cycle_files as (
    select * from {{ source('landing', 'cycle_files') }}
),

decisions as (
    select * from {{ ref('stg_landing__file_decisions') }}
),

sources as (
    select * from {{ ref('sources') }}
),

newest_cycle as (
    select max(cycle_id) as cycle_id
    from cycles
),

final as (
    select
        files.file_id,
        files.source_id,
        sources.roster_source_id,
        files.feed,
        files.layout_version,
        files.mode,
        files.are_removals_held and coalesce(decisions.decision <> 'release', true) as are_removals_held,
        files.exported_at,
        files.landed_at,
        cycles.cutoff_at as visible_at,
        cycles.cycle_id as first_cycle_id,
        cycles.cycle_id = newest_cycle.cycle_id as is_new
    from files
    inner join cycle_files using (file_id)
    inner join cycles on cycle_files.cycle_id = cycles.cycle_id
    inner join sources on files.source_id = sources.source_id
    cross join newest_cycle
    left join decisions on files.file_id = decisions.file_id
    where coalesce(decisions.decision <> 'supersede', true)
)

select * from final

-- One row per landed file that these tables know: the first cycle that saw it, and since when its source is frozen.
{{ config(materialized='view', tags=['reconciliation']) }}
with files as (
    select * from {{ source('landing', 'files') }}
),

stages as (
    select * from {{ ref('stg_landing__stages') }}
),

-- A source that is seen no longer is frozen: what was decided or landed since is not known here.
sources as (
    select
        source_id,
        case when count(to_cycle_id) = count(*) then max(to_cycle_id) end as frozen_from_cycle_id,
        max(to_job_id) as last_job_id
    from stages
    group by source_id
),

-- What a cycle took while the source was not seen is seen with the first cycle since.
cycle_files as (
    select
        cycle_files.file_id,
        min(greatest(cycle_files.cycle_id, stages.from_cycle_id)) as first_cycle_id
    from {{ source('landing', 'cycle_files') }} as cycle_files
    inner join files on cycle_files.file_id = files.file_id
    inner join stages
        on files.source_id = stages.source_id and coalesce(cycle_files.cycle_id < stages.to_cycle_id, true)
    group by cycle_files.file_id
)

select
    files.file_id,
    cycle_files.first_cycle_id,
    sources.frozen_from_cycle_id
from files
inner join sources on files.source_id = sources.source_id
left join cycle_files on files.file_id = cycle_files.file_id
where
    cycle_files.file_id is not null
    or sources.frozen_from_cycle_id is null
    or files.job_id <= sources.last_job_id

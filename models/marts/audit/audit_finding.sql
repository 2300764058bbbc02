-- One row per finding: what a person should know of a file or a cycle, once, and kept for ever.
with error_codes as (
    select * from {{ ref('error_codes') }}
),

files as (
    select * from {{ ref('audit_ingestion_log') }}
),

-- What is found of a delivery begins with the name of its source.
findings as (
    select findings.*
    from {{ source('landing', 'findings') }} as findings
    inner join error_codes using (code)
    left join files on findings.file_id = files.file_id
    left join {{ ref('stg_landing__stages') }} as stages
        on
            findings.file_id is null
            and stages.source_id = regexp_extract(findings.detail, '^[^:/]*')
            and coalesce(findings.job_id <= stages.to_job_id, stages.to_cycle_id is null)
    where
        coalesce(files.file_id, stages.source_id) is not null
        or (error_codes.scope = 'cycle' and findings.code <> 'PILOT_NOT_BUILT' and {{ (not pilot()) | lower }})
),

cycles as (
    select * from {{ ref('stg_landing__cycles') }}
),

current_cycle as (
    select cycle_id from cycles
    where is_current
),

-- The first cycle that opened after it was found.
opened as (
    select
        findings.finding_number,
        min(cycles.cycle_id) as cycle_id
    from findings
    inner join cycles on findings.job_id <= cycles.job_id
    group by findings.finding_number
),

-- A cycle writes what it finds in its tables into the ledger when it ends; the current one has not ended here.
recorded as (
    select
        coalesce(findings.cycle_id, opened.cycle_id) as cycle_id,
        findings.file_id,
        findings.code,
        findings.detail
    from findings
    inner join opened using (finding_number)
    inner join error_codes on findings.code = error_codes.code
    cross join current_cycle
    where error_codes.scope in ('delivery', 'file') or findings.cycle_id < current_cycle.cycle_id
),

found as (
    select * from recorded
    union all
    select
        current_cycle.cycle_id,
        violations.file_id,
        violations.code,
        violations.detail
    from {{ ref('audit_violation') }} as violations
    inner join current_cycle on violations.cycle_id = current_cycle.cycle_id
),

final as (
    select
        found.cycle_id,
        found.file_id,
        files.source_id,
        files.feed,
        files.delivery_name,
        files.file_name,
        error_codes.scope,
        found.code,
        error_codes.severity,
        error_codes.summary,
        found.detail,
        error_codes.advice
    from found
    inner join error_codes on found.code = error_codes.code
    left join files on found.file_id = files.file_id
)

select * from final

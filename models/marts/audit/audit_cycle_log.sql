-- One row per cycle: what came before it opened, what it saw first, and what its records came to.
with cycles as (
    select * from {{ ref('stg_landing__cycles') }}
),

files as (
    select * from {{ ref('audit_ingestion_log') }}
),

landed as (
    select
        cycles.cycle_id,
        count(*) as landed_count,
        count(case when files.verdict = 'accepted' then 1 end) as accepted_file_count,
        count(case when files.verdict = 'held' then 1 end) as held_file_count,
        count(case when files.verdict = 'rejected' then 1 end) as rejected_file_count,
        count(case when files.are_removals_held then 1 end) as held_removals_count
    from files
    inner join cycles
        on files.job_id > cycles.previous_job_id and files.job_id <= cycles.job_id
    group by cycles.cycle_id
),

seen as (
    select
        first_cycle_id as cycle_id,
        count(*) as seen_file_count,
        sum(record_count) as record_count,
        sum(structural_count) as structural_count,
        sum(malformed_count) as malformed_count,
        sum(rejected_count) as rejected_count,
        sum(duplicate_count) as duplicate_count,
        sum(accepted_count) as accepted_count
    from files
    where first_cycle_id is not null
    group by first_cycle_id
),

decided as (
    select
        cycle_decisions.cycle_id,
        count(*) as decision_count
    from {{ source('landing', 'cycle_decisions') }} as cycle_decisions
    inner join {{ source('landing', 'decisions') }} as decisions on cycle_decisions.decision_id = decisions.decision_id
    semi join files on decisions.file_id = files.file_id
    group by cycle_decisions.cycle_id
),

missing as (
    select
        cycle_id,
        count(*) as missing_feed_count
    from {{ ref('int_export_schedule') }}
    where status = 'missing'
    group by cycle_id
),

attempts as (
    select
        cast(subject as bigint) as cycle_id,
        count(case when kind = 'cycle_failed' then 1 end) as failed_attempt_count,
        max_by(kind, event_number) as last_kind
    from {{ source('landing', 'events') }}
    where kind in ('cycle_failed', 'cycle_resumed', 'cycle_publish_anyway')
    group by subject
)

select
    cycle_id,
    cycles.as_of as cutoff_at,
    case
        when attempts.last_kind = 'cycle_publish_anyway' then 'published_anyway'
        when attempts.failed_attempt_count > 0 then 'repaired'
        else 'completed'
    end as run_status,
    coalesce(attempts.failed_attempt_count, 0) as failed_attempt_count,
    cycles.code_version,
    coalesce(landed.landed_count, 0) as landed_file_count,
    coalesce(landed.accepted_file_count, 0) as accepted_file_count,
    coalesce(landed.held_file_count, 0) as held_file_count,
    coalesce(landed.rejected_file_count, 0) as rejected_file_count,
    coalesce(landed.held_removals_count, 0) as held_removals_count,
    coalesce(seen.seen_file_count, 0) as seen_file_count,
    cast(coalesce(seen.record_count, 0) as bigint) as record_count,
    cast(coalesce(seen.structural_count, 0) as bigint) as structural_count,
    cast(coalesce(seen.malformed_count, 0) as bigint) as malformed_count,
    cast(coalesce(seen.rejected_count, 0) as bigint) as rejected_count,
    cast(coalesce(seen.duplicate_count, 0) as bigint) as duplicate_count,
    cast(coalesce(seen.accepted_count, 0) as bigint) as accepted_count,
    coalesce(decided.decision_count, 0) as decision_count,
    coalesce(missing.missing_feed_count, 0) as missing_feed_count
from cycles
left join landed using (cycle_id)
left join seen using (cycle_id)
left join decided using (cycle_id)
left join missing using (cycle_id)
left join attempts using (cycle_id)

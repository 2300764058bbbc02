with passed_over as (
    select
        file_id,
        count(*) as structural_count
    from landing.structural_records
    group by file_id
)

select
    coalesce(cycle_files.cycle_id, opened.cycle_id) as cycle,
    files.source_id as source,
    files.delivery_name as delivery,
    files.file_name as file,
    case
        when files.verdict = 'accepted' and files.are_removals_held
            then 'accepted, removals held'
        else files.verdict
    end as verdict,
    files.code,
    files.detail,
    files.record_count as records,
    coalesce(passed_over.structural_count, 0) as structural,
    files.malformed_count as malformed,
    seen.rejected_count as rejected,
    seen.duplicate_count as duplicates,
    seen.accepted_count as accepted,
    seen.decision,
    files.feed,
    files.layout_version as layout,
    files.mode,
    files.exported_at,
    files.landed_at,
    files.file_id
from landing.files
left join landing.cycle_files using (file_id)
left join passed_over using (file_id)
left join good.audit.audit_ingestion_log as seen using (file_id)
asof left join landing.cycles as opened on files.job_id <= opened.job_id
order by files.exported_at desc, source asc, delivery asc, file asc, files.file_id asc

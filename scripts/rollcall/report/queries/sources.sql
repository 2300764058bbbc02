with decided as (
    select
        source_id,
        max_by(stage, stage_decision_id) as stage
    from landing.stage_decisions
    group by source_id
)

select
    sources.source_id as source,
    sources.name,
    coalesce(decided.stage, sources.stage) as stage,
    max(files.exported_at) filter (files.verdict not in ('held', 'rejected'))
        as newest_export,
    count(files.file_id) as files,
    count(files.file_id) filter (files.verdict = 'rejected') as rejected_files,
    sources.latency_target_hours as may_be_hours_old,
    sources.schedule,
    sources.time_zone
from good.source_contracts.sources
left join decided on sources.source_id = decided.source_id
left join listing_files as files on sources.source_id = files.source
group by all
order by sources.source_id

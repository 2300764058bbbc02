select
    sources.source_id as source,
    sources.name,
    sources.stage,
    max(files.exported_at) filter (files.verdict not in ('held', 'rejected'))
        as newest_export,
    count(files.file_id) as files,
    count(files.file_id) filter (files.verdict = 'rejected') as rejected_files,
    sources.latency_target_hours as may_be_hours_old,
    sources.schedule,
    sources.time_zone
from good.source_contracts.sources
left join listing_files as files on sources.source_id = files.source
group by all
order by sources.source_id

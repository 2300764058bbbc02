select
    source,
    feed,
    count(*) as files,
    count(*) filter (verdict = 'rejected') as rejected_files,
    min(exported_at) as first_export,
    max(exported_at) filter (verdict not in ('held', 'rejected')) as newest_export,
    max_by(layout, (exported_at, file_id)) filter (layout is not null) as layout,
    sum(records)::bigint as records
from listing_files
where feed is not null
group by all
order by source, feed

select
    problems.source_id as source,
    problems.problem,
    problems.code,
    problems.feed,
    problems.column_name as in_column,
    sum(problems.problem_count) as times,
    count(distinct problems.file_id) as files,
    min_by(
        concat_ws(', record ', files.delivery_name || '/' || files.file_name, problems.record_number),
        (files.exported_at, problems.file_id, problems.record_number)
    ) as first_seen_in
from audit_pilot_difference as problems
inner join landing.files as files on problems.file_id = files.file_id
group by all
order by
    source asc, problems.problem asc, times desc, problems.code asc, problems.feed asc, in_column asc nulls first

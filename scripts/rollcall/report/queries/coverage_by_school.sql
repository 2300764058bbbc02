select
    source_id as source,
    assessment,
    subject,
    term,
    school_name as school,
    sum(record_count) filter (where step = 'newest') as tests,
    sum(record_count) filter (where step = 'valid') as valid,
    sum(record_count) filter (where step = 'linked') as linked,
    sum(record_count) filter (where step = 'aligned') as aligned,
    sum(record_count) filter (where step = 'evidence') as evidence,
    sum(record_count) filter (where step = 'enrolled') as of_enrolled_students,
    feed
from good.reconciliation.recon_coverage
where assessment is not null
group by source_id, feed, assessment, subject, term, school_name
order by source asc, assessment asc, subject asc nulls last, term desc nulls last, school asc nulls last, feed asc

select
    totals.source_id as source,
    totals.assessment,
    totals.subject,
    totals.term,
    cast(totals.data_year as varchar) as school_year,
    totals.school_name as school,
    steps.words as records_that_are,
    totals.expected_count as the_source_counts,
    totals.record_count as rollcall_counts,
    totals.difference_count as difference,
    totals.taken_from,
    totals.feed
from good.reconciliation.recon_coverage_total as totals
left join coverage_words as steps on totals.step = steps.code
order by
    abs(totals.difference_count) desc, source asc, totals.feed asc, totals.assessment asc nulls last,
    totals.subject asc nulls last, totals.term asc nulls last, school_year asc nulls last,
    school asc nulls last, records_that_are asc

-- One row per source, student, test and start: a result of MAP Growth as NWEA exports it.
{{ config(enabled=is_used('nwea')) }}

with results as (
    {{ with_presence(
        ref('stg_nwea__assessment_results'), source('raw_nwea', 'assessment_results'),
        'nwea/assessment_results', 'result_id', nwea_result_id(), whole_by=('term_name', text('TermName'))
    ) }}
)

select
    *,
    cast([] as varchar[]) as unresolved
from results

-- One row per source, student and days of begin and end: a result of i-Ready in reading.
{{ config(enabled=is_used('iready')) }}

with results as (
    {{ with_presence(
        ref('stg_iready__diagnostic_ela'), source('raw_iready', 'diagnostic_ela'),
        'iready/diagnostic_ela', 'result_id', iready_result_id(), whole_by=('data_year', year('Academic Year'))
    ) }}
)

select
    *,
    cast([] as varchar[]) as unresolved
from results

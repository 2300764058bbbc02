-- One row per source, student of Indiana and test: a result of ILEARN, of a checkpoint, of IREAD-3 or of I AM.
{{ config(enabled=is_used('state')) }}

with results as (
    {{ with_presence(
        ref('stg_state__in_ilearn'), source('raw_state', 'in_ilearn'),
        'state/in_ilearn', 'result_id', ilearn_result_id()
    ) }}
)

-- The name of a test says it all, such as `ILEARN Mathematics Grade 6 Checkpoint 1: Ratios`.
select
    *,
    coalesce(
        nullif(regexp_extract(test_name, '^(ILEARN|I AM|IREAD-3)'), '')
        || coalesce(' ' || nullif(regexp_extract(test_name, 'Checkpoint [0-9]+'), ''), ''),
        test_name
    ) as assessment,
    nullif(regexp_extract(test_name, '^(ILEARN|I AM) (.+?) Grade [0-9]+', 2), '') as subject,
    coalesce(overall_scale_score, iread_scale_score) as score,
    coalesce(proficiency_level, iread_passing) as level,
    cast([] as varchar[]) as unresolved
from results

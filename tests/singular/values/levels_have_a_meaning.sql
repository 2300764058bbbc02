-- Finds: feeds whose evidence has levels that level_states.csv does not name, while a rule takes levels.
-- Matters: such a level stands for no state, so the student stays without one.
-- Do: add a row for the level to seeds/rules/level_states.csv; the sentence says in which line a level stands.
{{ config(severity='warn', enabled=has_assessments()) }}
with evidence as (
    select * from {{ ref('fct_evidence') }}
    where kind = 'asserted_level' and disposition = 'usable'
),

named as (
    select * from {{ ref('level_states') }}
),

takes_levels as (
    select count(*) > 0 as is_any
    from {{ ref('mastery_rules') }}
    where method = 'asserted'
),

unnamed as (
    select
        evidence.source_id,
        evidence.feed,
        evidence.scale,
        count(*) as evidence_count,
        arg_min(evidence.file_id, (evidence.exported_at, evidence.file_id, evidence.line_number)) as file_id,
        arg_min(evidence.line_number, (evidence.exported_at, evidence.file_id, evidence.line_number)) as line_number
    from evidence
    inner join takes_levels on takes_levels.is_any
    anti join named using (source_id, feed, scale, level)
    group by evidence.source_id, evidence.feed, evidence.scale
)

select
    source_id,
    feed,
    scale,
    concat(
        'seeds/rules/level_states.csv: ', evidence_count, ' levels of ', source_id, ' ', feed, ' on the scale ', scale,
        ' mean no state, the first in line ', line_number, ' of file ', file_id, '.'
    ) as remedy
from unnamed

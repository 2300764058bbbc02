-- One row per student as a source knows one, and id: the ids that its files name together.
{{ config(enabled=has_assessments()) }}

with named as (
    select
        source_id,
        roster_source_id,
        source_student_key,
        student_ids,
        exported_at
    from {{ ref('int_assessment_results') }}
    {%- if is_used('nwea') %}
    union all
    select
        source_id,
        roster_source_id,
        source_student_key,
        student_ids,
        exported_at
    from {{ ref('int_student_listings__nwea') }}
    {%- endif %}
),

each_id as (
    select
        source_student_key,
        source_id,
        roster_source_id,
        exported_at,
        unnest(student_ids) as student_id
    from named
)

select
    each_id.source_student_key,
    each_id.source_id,
    each_id.roster_source_id,
    concat_ws(':', each_id.student_id.assigner, each_id.student_id.id_kind, each_id.student_id.id_value) as id_key,
    each_id.student_id.assigner,
    each_id.student_id.id_kind,
    each_id.student_id.id_value,
    each_id.source_student_key = concat_ws(
        ':', each_id.source_id, each_id.student_id.assigner, each_id.student_id.id_kind, each_id.student_id.id_value
    ) as is_first,
    min(each_id.student_id.priority) as priority,
    coalesce(bool_or(each_id.student_id.is_trusted_alone), false) as is_trusted_alone,
    max(each_id.exported_at) as last_seen_at
from each_id
group by all

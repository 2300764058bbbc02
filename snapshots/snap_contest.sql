-- One row per student, field and two sources that say different things of it, and interval of cycles in which they did.
{% snapshot snap_contest %}
{{ config(unique_key=['student_key', 'field_name', 'source_id', 'other_source_id'], enabled=has_assessments()) }}
with contests as (
    select
        student_key,
        field_name,
        least(winner_source_id, loser_source_id) as source_id,
        greatest(winner_source_id, loser_source_id) as other_source_id
    from {{ ref('int_contested_values') }}
),

cycles as (
    select * from {{ ref('stg_landing__cycles') }}
    where is_current
)

select
    contests.*,
    {{ text_hash(['contests.student_key', 'contests.field_name', 'contests.source_id', 'contests.other_source_id']) }}
        as row_hash,
    cycles.as_of
from contests
cross join cycles
{% endsnapshot %}

-- One row per student as a source knows one and interval of cycles in which the student was known the same way.
{% snapshot snap_student_link %}
{{ config(unique_key='source_student_key', enabled=has_assessments()) }}
with links as (
    select * from {{ ref('int_student_links') }}
),

cycles as (
    select * from {{ ref('stg_landing__cycles') }}
    where is_current
)

select
    links.source_student_key,
    links.source_id,
    links.outcome,
    links.student_key,
    links.is_by_hand,
    {{ text_hash(['links.outcome', 'links.student_key', 'links.is_by_hand']) }} as row_hash,
    cycles.as_of
from links
cross join cycles
{% endsnapshot %}

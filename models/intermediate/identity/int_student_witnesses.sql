-- One row per student as a source knows one, and name with birth date: what its files say beside the first id.
{{ config(enabled=has_assessments()) }}

with said as (
    select
        source_student_key,
        source_id,
        roster_source_id,
        family_name,
        given_name,
        birth_date
    from {{ ref('int_assessment_results') }}
    {%- if is_used('nwea') %}
    union all
    select
        source_student_key,
        source_id,
        roster_source_id,
        family_name,
        given_name,
        birth_date
    from {{ ref('int_student_listings__nwea') }}
    {%- endif %}
),

-- Most files say the same again and again.
sayings as (
    select distinct * from said
    where source_student_key is not null
)

select
    source_student_key,
    source_id,
    roster_source_id,
    substr(source_student_key, length(source_id) + 2) as id_key,
    {{ compared_name('family_name') }} as family_name,
    {{ compared_name('given_name') }} as given_name,
    birth_date
from sayings

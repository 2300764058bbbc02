-- One row per student as a source knows one, and name with birth date: what its files say beside the id.
{{ config(enabled=has_assessments()) }}

with said as (
    select distinct
        source_student_key,
        roster_source_id,
        family_name,
        given_name,
        cast(null as date) as birth_date
    from {{ ref('int_assessment_results') }}
    where family_name is not null
    {%- if is_used('nwea') %}
    union
    select
        source_student_key,
        roster_source_id,
        family_name,
        given_name,
        birth_date
    from {{ ref('int_student_listings__nwea') }}
    where family_name is not null or birth_date is not null
    {%- endif %}
)

select
    source_student_key,
    roster_source_id,
    {{ compared_name('family_name') }} as family_name,
    {{ compared_name('given_name') }} as given_name,
    birth_date
from said
where source_student_key is not null

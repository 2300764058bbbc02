-- One row per student and source, the roster among them: what it says last of the student, as it is compared.
{{ config(materialized='ephemeral', enabled=has_assessments()) }}

with links as (
    select * from {{ ref('int_student_links') }}
    where student_key is not null
),

years as (
    select
        terms.source_id,
        max(terms.start_date) as began_on
    from {{ ref('dim_term') }} as terms
    inner join {{ ref('stg_landing__cycles') }} as cycles on cycles.is_current and terms.start_date <= cycles.as_of
    where terms.is_active and terms.term_type = 'schoolYear'
    group by terms.source_id
),

records as (
    select * from {{ ref('int_assessment_results') }}
    {%- if is_used('nwea') %}
    union all by name
    select * from {{ ref('int_student_listings__nwea') }}
    {%- endif %}
),

-- Grade and school are those of a year: what was said before the roster's began contradicts nothing.
said as (
    select
        records.*,
        links.student_key,
        coalesce(records.event_at, records.exported_at) as said_at,
        coalesce(coalesce(records.event_at, records.exported_at) >= years.began_on, true) as is_of_this_year
    from records
    inner join links on records.source_student_key = links.source_student_key
    left join years on records.roster_source_id = years.source_id
),

-- Of all that a source says of a field, its newest word.
of_sources as (
    select
        student_key,
        roster_source_id,
        source_id,
        {{ newest_word('family_name') }} as family_name,
        {{ newest_word('given_name') }} as given_name,
        {{ newest_word('birth_date') }} as birth_date,
        {{ newest_word('grade') }} filter (where is_of_this_year) as grade,
        {{ newest_word('school_name') }} filter (where is_of_this_year) as school_name
    from said
    group by student_key, roster_source_id, source_id
),

roster as (
    select
        students.student_key,
        students.roster_source_id,
        students.roster_source_id as source_id,
        students.family_name,
        students.given_name,
        students.birth_date,
        case when len(students.grades) = 1 then students.grades[1] end as grade,
        schools.name as school_name
    from {{ ref('int_roster_students') }} as students
    left join {{ ref('dim_org') }} as schools on students.org_key = schools.org_key and schools.org_type = 'school'
    where
        students.user_key = students.student_key
        and students.student_key in (select links.student_key from links)
),

everybody as (
    select * from of_sources
    union all by name
    select * from roster
)

select
    student_key,
    roster_source_id,
    source_id,
    {{ compared_name('family_name') }} as family_name,
    {{ compared_name('given_name') }} as given_name,
    cast(birth_date as varchar) as birth_date,
    {{ compared_grade('grade') }} as grade,
    {{ compared_school('school_name') }} as school_name
from everybody

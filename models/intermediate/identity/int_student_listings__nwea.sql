-- One row per listing of a student by NWEA: names and birth date, which witness whose an id is, and what else it says.
{{ config(materialized='ephemeral', enabled=is_used('nwea')) }}

with id_columns as (
    {{ id_columns() }}
),

listings as (
    select
        *,
        'nwea/students' as feed
    from {{ ref('dim_nwea_student') }}
),

identified as (
    select
        listings.*,
        {{ declared_ids({'StudentID': 'listings.student_id'}) }} as student_ids
    from listings
    left join id_columns using (source_id, feed)
)

select
    source_id,
    roster_source_id,
    student_ids,
    {{ source_student_key('student_ids') }} as source_student_key,
    family_name,
    given_name,
    birth_date,
    grade,
    school_name,
    exported_at
from identified

-- One row per source, term, school and student: a student as NWEA lists them.
{{ config(enabled=is_used('nwea')) }}

with students as (
    {{ with_presence(
        ref('stg_nwea__students'), source('raw_nwea', 'students'),
        'nwea/students', 'listing_id', nwea_student_id(), whole_by=('term_name', text('TermName'))
    ) }}
)

select
    *,
    cast([] as varchar[]) as unresolved
from students

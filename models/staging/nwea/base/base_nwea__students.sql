-- One row per record of a StudentsBySchool.csv file, whatever the version of its layout.
{{ config(enabled=is_used('nwea')) }}

with records as (
    {{ trimmed_records(source('raw_nwea', 'students')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ nwea_student_id() }} as record_key,
        {{ nwea_student_id() }} as listing_id,
        {{ own_record_key(nwea_student_id()) }} as listing_key,
        {{ text('StudentID') }} as student_id,
        {{ text('TermName') }} as term_name,
        {{ school_year('TermName') }} as data_year,
        {{ text('SchoolName') }} as school_name,
        {{ text('StudentLastName') }} as family_name,
        {{ text('StudentFirstName') }} as given_name,
        {{ us_date('StudentDateOfBirth') }} as birth_date,
        {{ text('Grade') }} as grade,
        false as is_deleted,
        cast(null as timestamp) as modified_at,
        {{ violations([
            required('TermName'),
            required('SchoolName'),
            required('StudentID'),
            readable('StudentDateOfBirth', 'us_date'),
            plausible('StudentDateOfBirth', 'us_date'),
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    *,
    {{ is_rejected() }} as is_rejected,
    {{ content_hash() }} as content_hash
from typed

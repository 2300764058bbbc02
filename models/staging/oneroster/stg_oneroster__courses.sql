-- One row per source and course: its newest accepted version.
{{ config(unique_key=['source_id', 'course_id']) }}

with records as (
    select * from {{ ref('base_oneroster__courses_1_1') }}
),

records_to_add as (
    select * from records
    {% if is_incremental() %}where is_new{% endif %}
),

refused as (
    select * from {{ ref('int_records_refused') }}
),

accepted as (
    select
        records_to_add.*,
        row_number() over (
            partition by records_to_add.source_id, records_to_add.course_id
            order by records_to_add.version_at desc, records_to_add.exported_at desc
        ) as recency
    from records_to_add
    left join refused using (file_id, record_number)
    where refused.file_id is null
),

newest as (
    select
        source_id,
        roster_source_id,
        course_id,
        school_year_term_id,
        name,
        course_code,
        grades,
        org_id,
        subjects,
        subject_codes,
        is_deleted,
        modified_at,
        version_at,
        exported_at,
        landed_at,
        visible_at,
        file_id,
        record_number,
        line_number,
        violations as warnings
    from accepted
    where recency = 1
)

select * from newest
{% if is_incremental() %}where {{ is_newer_than_stored('course_id', 'newest') }}{% endif %}

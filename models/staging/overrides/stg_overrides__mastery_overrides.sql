-- One row per source and override: its newest accepted version.
{{ config(unique_key=['source_id', 'override_id']) }}

with records as (
    select * from {{ ref('base_overrides__mastery_overrides_1') }}
    {% if is_incremental() %}where is_new{% endif %}
),

refused as (
    select * from {{ ref('int_records_refused') }}
),

accepted as (
    select
        records.*,
        row_number() over (
            partition by records.source_id, records.override_id
            order by records.version_at desc, records.exported_at desc
        ) as recency
    from records
    left join refused using (file_id, record_number)
    where refused.file_id is null
),

newest as (
    select
        source_id,
        roster_source_id,
        override_id,
        student_id,
        objective_id,
        action,
        state,
        effective_at,
        teacher_id,
        reason,
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
{% if is_incremental() %}where {{ is_newer_than_stored('override_id', 'newest') }}{% endif %}

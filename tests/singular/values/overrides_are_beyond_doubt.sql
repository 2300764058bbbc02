-- Finds: overrides of an unknown student or objective, by a teacher who does not teach the student, or under an id that
-- stood for the decision on another student or objective before. It replaced that one, which is said once.
-- Matters: an override outranks the rules; one that nobody may take should not go unnoticed.
-- Do: ask the learning platform about the record; an override of an unknown student has no effect.
{{ config(severity='warn', store_failures=true) }}

with overrides as (
    select
        overrides.*,
        files.is_new
    from {{ ref('audit_override') }} as overrides
    left join {{ ref('stg_landing__files') }} as files on overrides.file_id = files.file_id
    where overrides.is_active
),

final as (
    select
        source_id,
        override_id,
        file_id,
        line_number,
        list_filter(findings, lambda finding: is_new or finding <> 'id_used_for_another_subject') as findings
    from overrides
)

select * from final
where len(findings) > 0

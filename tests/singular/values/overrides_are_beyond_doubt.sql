-- Finds: overrides of an unknown student or objective, or by a teacher who does not teach the student.
-- Matters: an override outranks the rules; one that nobody may take should not go unnoticed.
-- Do: ask the learning platform about the record; an override of an unknown student has no effect.
{{ config(severity='warn', store_failures=true) }}

select
    source_id,
    override_id,
    file_id,
    line_number,
    findings
from {{ ref('audit_override') }}
where is_active and len(findings) > 0

-- One row per record of a mastery_overrides.csv file, whatever the version of its layout.
{{ config(enabled=is_used('overrides')) }}

{% set actions = ['clear', 'set'] %}
{% set states = ['mastered', 'not_mastered'] %}

with records as (
    {{ trimmed_records(source('raw_overrides', 'mastery_overrides')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ text('sourcedId') }} as record_key,
        {{ text('sourcedId') }} as override_id,
        {{ own_key('sourcedId') }} as override_key,
        {{ text('studentSourcedId') }} as student_id,
        {{ roster_key('studentSourcedId') }} as student_key,
        {{ text('learningObjectiveId') }} as objective_id,
        {{ one_of('action', actions) }} as action,
        {{ one_of('state', states) }} as state,
        {{ instant('effectiveAt') }} as effective_at,
        {{ precision('effectiveAt') }} as event_precision,
        {{ usable_at('effectiveAt') }} as usable_at,
        {{ text('teacherSourcedId') }} as teacher_id,
        {{ roster_key('teacherSourcedId') }} as teacher_key,
        {{ text('reason') }} as reason,
        {{ is_deletion('status') }} as is_deleted,
        {{ instant('dateLastModified') }} as modified_at,
        {{ oneroster_violations(event_checks('effectiveAt') + [
            required('studentSourcedId'),
            required('learningObjectiveId'),
            required('action'),
            allowed('action', actions),
            required_when('state', 'action', ['set']),
            allowed('state', states, holds('action', ['set'])),
            required('effectiveAt'),
            readable('effectiveAt', 'instant'),
            required('teacherSourcedId'),
            required('reason'),
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    *,
    {{ is_rejected() }} as is_rejected,
    {{ content_hash() }} as content_hash
from typed

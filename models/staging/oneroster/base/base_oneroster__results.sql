-- One row per record of an OneRoster results.csv file, whatever the version of its layout.
{% set score_statuses = ['exempt', 'fully graded', 'not submitted', 'partially graded', 'submitted'] %}

with records as (
    {{ trimmed_records(source('raw_oneroster', 'results')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ text('sourcedId') }} as record_key,
        {{ text('sourcedId') }} as result_id,
        {{ own_key('sourcedId') }} as result_key,
        {{ text('lineItemSourcedId') }} as line_item_id,
        {{ own_key('lineItemSourcedId') }} as line_item_key,
        {{ text('studentSourcedId') }} as student_id,
        {{ roster_key('studentSourcedId') }} as student_key,
        {{ one_of('scoreStatus', score_statuses) }} as score_status,
        {{ number('score') }} as score,
        {{ text('textScore') }} as text_score,
        {{ date('scoreDate') }} as score_date,
        {{ end_of_day('scoreDate') }} as event_at,
        {{ usable_at('scoreDate') }} as usable_at,
        {{ text('classSourcedId') }} as class_id,
        {{ roster_key('classSourcedId') }} as class_key,
        {{ boolean('inProgress') }} as is_in_progress,
        {{ boolean('incomplete') }} as is_incomplete,
        {{ boolean('late') }} as is_late,
        {{ boolean('missing') }} as is_missing,
        {{ is_deletion('status') }} as is_deleted,
        {{ instant('dateLastModified') }} as modified_at,
        {{ oneroster_violations(event_checks('scoreDate') + [
            required('lineItemSourcedId'),
            required('studentSourcedId'),
            required('scoreStatus'),
            allowed('scoreStatus', score_statuses),
            readable('score', 'number', rejects=holds('scoreStatus', ['fully graded', 'partially graded'])),
            required_when('score', 'scoreStatus', ['fully graded', 'partially graded']),
            required('scoreDate'),
            readable('scoreDate', 'date'),
            readable('inProgress', 'boolean'),
            lower_case('inProgress'),
            readable('incomplete', 'boolean'),
            lower_case('incomplete'),
            readable('late', 'boolean'),
            lower_case('late'),
            readable('missing', 'boolean'),
            lower_case('missing'),
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    *,
    {{ is_rejected() }} as is_rejected,
    {{ content_hash() }} as content_hash
from typed

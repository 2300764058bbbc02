-- One row per record of an OneRoster lineItems.csv file, whatever the version of its layout.
with records as (
    {{ trimmed_records(source('raw_oneroster', 'line_items')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ text('sourcedId') }} as record_key,
        {{ text('sourcedId') }} as line_item_id,
        {{ own_key('sourcedId') }} as line_item_key,
        {{ text('title') }} as name,
        {{ date('assignDate') }} as assign_date,
        {{ date('dueDate') }} as due_date,
        {{ text('classSourcedId') }} as class_id,
        {{ roster_key('classSourcedId') }} as class_key,
        {{ text('categorySourcedId') }} as category_id,
        {{ own_key('categorySourcedId') }} as category_key,
        {{ text('gradingPeriodSourcedId') }} as term_id,
        {{ roster_key('gradingPeriodSourcedId') }} as term_key,
        {{ number('resultValueMin') }} as score_min,
        {{ number('resultValueMax') }} as score_max,
        {{ text('schoolSourcedId') }} as org_id,
        {{ roster_key('schoolSourcedId') }} as org_key,
        {{ is_deletion('status') }} as is_deleted,
        {{ instant('dateLastModified') }} as modified_at,
        {{ oneroster_violations([
            required('title'),
            required('assignDate'),
            readable('assignDate', 'date'),
            plausible('assignDate'),
            required('dueDate'),
            readable('dueDate', 'date'),
            plausible('dueDate'),
            in_order('assignDate', 'dueDate'),
            required('classSourcedId'),
            required('categorySourcedId'),
            required('gradingPeriodSourcedId'),
            required('resultValueMin'),
            readable('resultValueMin', 'number', rejects='true'),
            required('resultValueMax'),
            readable('resultValueMax', 'number', rejects='true'),
            required('schoolSourcedId'),
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    *,
    {{ is_rejected() }} as is_rejected,
    {{ content_hash() }} as content_hash
from typed

-- One row per record of the newest files of overrides/mastery_overrides that fct_override does not hold as it
-- is, per active row that none of them names, and per key that stands there twice. Written by
-- scripts/comparison_sql.py.
{{ config(enabled=is_used('overrides')) }}

with files as (
    select * from {{ ref('int_compared_files') }}
    where feed = 'overrides/mastery_overrides'
),

-- Of a record that breaks the grammar of CSV no more is known than its key.
records as not materialized (
    select
        files.source_id,
        files.is_visible,
        files.is_in_scope,
        files.is_since_latest_bulk,
        nullif(trim(records.sourcedid), '') as record_key,
        false as is_malformed,
        records.*
    from {{ source('raw_overrides', 'mastery_overrides') }} as records
    inner join files on records.file_id = files.file_id

    union all by name

    select
        files.source_id,
        files.is_visible,
        files.is_in_scope,
        files.is_since_latest_bulk,
        records.record_key,
        true as is_malformed,
        records.file_id,
        records.record_number,
        records.line_number
    from {{ source('landing', 'malformed_records') }} as records
    inner join files on records.file_id = files.file_id
),

records_in_scope as (
    select * from records
    where is_in_scope
),

-- One pass over both sides finds what is in doubt; nothing else is looked at afterwards.
doubts as (
    select
        coalesce(records.source_id, processed.source_id) as source_id,
        coalesce(records.record_key, processed.override_id) as record_key,
        records.file_id,
        records.record_number,
        records.line_number,
        coalesce(records.is_malformed, false) as is_malformed,
        processed.file_id as processed_file_id,
        processed.record_number as processed_record_number,
        processed.is_active,
        1 as row_count
    from records_in_scope as records
    full join {{ ref('fct_override') }} as processed
        on records.source_id = processed.source_id and records.record_key = processed.override_id
    where
        case
            when records.file_id is null then processed.is_active
            when records.is_malformed then true
            when trim(records.status) in ('tobedeleted', 'inactive')
                then
                    processed.is_active
                    or records.file_id <> processed.file_id
                    or records.record_number <> processed.record_number
            when processed.is_active is distinct from true then true
            when records.is_visible and records.file_id <> processed.file_id then true
            when records.is_visible and records.record_number <> processed.record_number then true
            else
                try_cast(trim(records.datelastmodified) as timestamptz) at time zone 'UTC'
                is distinct from processed.modified_at
                or (processed.modified_at is null and trim(records.datelastmodified) <> '')
                or nullif(trim(records.studentsourcedid), '') is distinct from processed.student_id
                or nullif(trim(records.learningobjectiveid), '') is distinct from processed.objective_id
                or nullif(trim(records.action), '') is distinct from processed.action
                or nullif(trim(records.state), '') is distinct from processed.state
                or try_cast(trim(records.effectiveat) as timestamptz) at time zone 'UTC'
                is distinct from processed.effective_at
                or (processed.effective_at is null and trim(records.effectiveat) <> '')
                or nullif(trim(records.teachersourcedid), '') is distinct from processed.teacher_id
                or nullif(trim(records.reason), '') is distinct from processed.reason
        end

    union all by name

    select
        source_id,
        override_id as record_key,
        false as is_malformed,
        min(file_id) as processed_file_id,
        min(record_number) as processed_record_number,
        true as is_active,
        count(*) as row_count
    from {{ ref('fct_override') }}
    group by source_id, override_id
    having count(*) > 1
),

keys as (
    select distinct
        source_id,
        record_key
    from doubts
),

processed_rows as (
    select processed.*
    from {{ ref('fct_override') }} as processed
    inner join keys
        on processed.source_id = keys.source_id and processed.override_id = keys.record_key
),

staged_rows as (
    select staged.*
    from {{ ref('stg_overrides__mastery_overrides') }} as staged
    inner join keys
        on staged.source_id = keys.source_id and staged.override_id = keys.record_key
),

staged_counts as (
    select
        source_id,
        override_id as record_key,
        count(*) as staged_count
    from staged_rows
    group by source_id, override_id
),

-- The records in doubt, and those of which the rows in doubt say that they are made.
pointers as (
    select
        file_id,
        record_number
    from doubts
    union distinct
    select
        processed_file_id,
        processed_record_number
    from doubts
),

compared as (
    select
        records.source_id,
        records.record_key,
        records.file_id,
        records.record_number,
        coalesce(trim(records.status) in ('tobedeleted', 'inactive'), false) as is_deletion,
        try_cast(trim(records.datelastmodified) as timestamptz) at time zone 'UTC' as modified_at,
        [
            {
                'raw_column': 'dateLastModified', 'processed_column': 'modified_at',
                'source_value': trim(records.datelastmodified),
                'processed_value': cast(processed.modified_at as varchar),
                'is_staged': staged.modified_at = processed.modified_at,
                'is_different': try_cast(trim(records.datelastmodified) as timestamptz) at time zone 'UTC'
                is distinct from processed.modified_at
                or (processed.modified_at is null and trim(records.datelastmodified) <> '')
            },
            {
                'raw_column': 'studentSourcedId', 'processed_column': 'student_id',
                'source_value': trim(records.studentsourcedid), 'processed_value': processed.student_id,
                'is_staged': staged.student_id = processed.student_id,
                'is_different': nullif(trim(records.studentsourcedid), '')
                is distinct from processed.student_id
            },
            {
                'raw_column': 'learningObjectiveId', 'processed_column': 'objective_id',
                'source_value': trim(records.learningobjectiveid), 'processed_value': processed.objective_id,
                'is_staged': staged.objective_id = processed.objective_id,
                'is_different': nullif(trim(records.learningobjectiveid), '')
                is distinct from processed.objective_id
            },
            {
                'raw_column': 'action', 'processed_column': 'action', 'source_value': trim(records.action),
                'processed_value': processed.action, 'is_staged': staged.action = processed.action,
                'is_different': nullif(trim(records.action), '') is distinct from processed.action
            },
            {
                'raw_column': 'state', 'processed_column': 'state', 'source_value': trim(records.state),
                'processed_value': processed.state, 'is_staged': staged.state = processed.state,
                'is_different': nullif(trim(records.state), '') is distinct from processed.state
            },
            {
                'raw_column': 'effectiveAt', 'processed_column': 'effective_at',
                'source_value': trim(records.effectiveat),
                'processed_value': cast(processed.effective_at as varchar),
                'is_staged': staged.effective_at = processed.effective_at,
                'is_different': try_cast(trim(records.effectiveat) as timestamptz) at time zone 'UTC'
                is distinct from processed.effective_at
                or (processed.effective_at is null and trim(records.effectiveat) <> '')
            },
            {
                'raw_column': 'teacherSourcedId', 'processed_column': 'teacher_id',
                'source_value': trim(records.teachersourcedid), 'processed_value': processed.teacher_id,
                'is_staged': staged.teacher_id = processed.teacher_id,
                'is_different': nullif(trim(records.teachersourcedid), '')
                is distinct from processed.teacher_id
            },
            {
                'raw_column': 'reason', 'processed_column': 'reason', 'source_value': trim(records.reason),
                'processed_value': processed.reason, 'is_staged': staged.reason = processed.reason,
                'is_different': nullif(trim(records.reason), '') is distinct from processed.reason
            }
        ] as compared_values
    from records
    inner join pointers
        on records.file_id = pointers.file_id and records.record_number = pointers.record_number
    left join processed_rows as processed
        on records.source_id = processed.source_id and records.record_key = processed.override_id
    left join staged_rows as staged
        on records.source_id = staged.source_id and records.record_key = staged.override_id
    where not records.is_malformed
),

-- A key that no record in scope names may be named by the latest bulk or a file since.
present_keys as (
    select distinct
        records.source_id,
        records.record_key
    from records
    inner join keys on records.source_id = keys.source_id and records.record_key = keys.record_key
    where records.is_since_latest_bulk and not records.is_in_scope
)

select
    'overrides/mastery_overrides' as feed,
    doubts.*,
    sources.is_deletion,
    sources.modified_at,
    sources.compared_values,
    origins.file_id is not null as has_origin,
    origins.is_deletion as is_origin_deletion,
    origins.modified_at as origin_modified_at,
    origins.compared_values as origin_values,
    present_keys.record_key is not null as is_present,
    staged_counts.staged_count
from doubts
left join compared as sources
    on doubts.file_id = sources.file_id and doubts.record_number = sources.record_number
left join compared as origins
    on
        doubts.processed_file_id = origins.file_id
        and doubts.processed_record_number = origins.record_number
        and doubts.source_id = origins.source_id
        and doubts.record_key = origins.record_key
left join present_keys
    on doubts.source_id = present_keys.source_id and doubts.record_key = present_keys.record_key
left join staged_counts
    on doubts.source_id = staged_counts.source_id and doubts.record_key = staged_counts.record_key

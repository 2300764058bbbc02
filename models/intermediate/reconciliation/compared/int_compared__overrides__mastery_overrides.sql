-- One row per doubt that overrides/mastery_overrides and fct_override raise, per record that speaks of one, and per key
-- of one that is present. In doubt is a record of the newest files that the mart does not hold as it is, an active row
-- that none of them names, and a key that stands twice. Written by `rollcall layouts compare`.
{{ config(enabled=is_used('overrides')) }}

with files as (
    select * from {{ ref('int_compared_files') }}
    where feed = 'overrides/mastery_overrides'
),

-- What is compared of a record.
raw_records as not materialized (
    select
        records.file_id,
        records.record_number,
        records.line_number,
        records.sourcedid,
        records.status,
        records.datelastmodified,
        records.studentsourcedid,
        records.learningobjectiveid,
        records.action,
        records.state,
        records.effectiveat,
        records.teachersourcedid,
        records.reason
    from {{ source('raw_overrides', 'mastery_overrides') }} as records
),

-- White space around a text never counts.
trimmed_records as not materialized (
    select
        file_id,
        record_number,
        line_number,
        case
            when
                left(columns(* exclude (file_id, record_number, line_number)), 1) between '!' and '~'
                and right(columns(* exclude (file_id, record_number, line_number)), 1) between '!' and '~'
                then columns(* exclude (file_id, record_number, line_number))
            else nullif(
                regexp_replace(
                    columns(* exclude (file_id, record_number, line_number)), '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
                ),
                ''
            )
        end
    from raw_records
),

-- Of a record that breaks the grammar of CSV no more is known than its key.
records as (
    select
        files.source_id,
        files.is_visible,
        files.time_zone,
        files.naive_time_zone,
        records.sourcedid as record_key,
        false as is_malformed,
        records.*
    from trimmed_records as records
    inner join files on records.file_id = files.file_id and files.is_in_scope

    union all by name

    select
        files.source_id,
        files.is_visible,
        records.record_key,
        true as is_malformed,
        records.file_id,
        records.record_number,
        records.line_number
    from {{ source('landing', 'malformed_records') }} as records
    inner join files on records.file_id = files.file_id and files.is_in_scope
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
    from records
    full join {{ ref('fct_override') }} as processed
        on records.source_id = processed.source_id and records.record_key = processed.override_id
    where
        (records.file_id is null and processed.is_active)
        or records.is_malformed
        or (
            lower(records.status) in ('tobedeleted', 'inactive')
            and (
                processed.is_active
                or records.file_id <> processed.file_id
                or records.record_number <> processed.record_number
            )
        )
        or (
            records.file_id is not null
            and coalesce(lower(records.status) not in ('tobedeleted', 'inactive'), true)
            and (
                processed.is_active is distinct from true
                or (records.is_visible and records.file_id <> processed.file_id)
                or (records.is_visible and records.record_number <> processed.record_number)
                or {{ rollcall.compared_instant('records.datelastmodified') }} is distinct from processed.modified_at
                or (processed.modified_at is null and records.datelastmodified is not null)
                or records.studentsourcedid is distinct from processed.student_id
                or records.learningobjectiveid is distinct from processed.objective_id
                or (
                    records.action is distinct from processed.action
                    and lower(records.action) is distinct from lower(processed.action)
                )
                or (
                    records.state is distinct from processed.state
                    and lower(records.state) is distinct from lower(processed.state)
                )
                or {{ rollcall.compared_instant('records.effectiveat') }} is distinct from processed.effective_at
                or (processed.effective_at is null and records.effectiveat is not null)
                or records.teachersourcedid is distinct from processed.teacher_id
                or records.reason is distinct from processed.reason
            )
        )

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
    select
        processed.*,
        row_number() over (
            partition by processed.source_id, processed.override_id
            order by processed.file_id, processed.record_number
        ) as place
    from {{ ref('fct_override') }} as processed
    inner join keys
        on processed.source_id = keys.source_id and processed.override_id = keys.record_key
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

pointed_records as (
    select
        files.source_id,
        files.time_zone,
        files.naive_time_zone,
        records.*
    from trimmed_records as records
    inner join pointers
        on records.file_id = pointers.file_id and records.record_number = pointers.record_number
    inner join files on records.file_id = files.file_id
),

compared_records as (
    select
        records.source_id,
        records.sourcedid as record_key,
        records.file_id,
        records.record_number,
        coalesce(lower(records.status) in ('tobedeleted', 'inactive'), false) as is_deletion,
        {{ rollcall.compared_instant('records.datelastmodified') }} as modified_at,
        [
            {
                'raw_column': 'dateLastModified', 'processed_column': 'modified_at',
                'source_value': records.datelastmodified, 'processed_value': cast(processed.modified_at as varchar),
                'is_different': {{ rollcall.compared_instant('records.datelastmodified') }}
                is distinct from processed.modified_at
                or (processed.modified_at is null and records.datelastmodified is not null)
            },
            {
                'raw_column': 'studentSourcedId', 'processed_column': 'student_id',
                'source_value': records.studentsourcedid, 'processed_value': processed.student_id,
                'is_different': records.studentsourcedid is distinct from processed.student_id
            },
            {
                'raw_column': 'learningObjectiveId', 'processed_column': 'objective_id',
                'source_value': records.learningobjectiveid, 'processed_value': processed.objective_id,
                'is_different': records.learningobjectiveid is distinct from processed.objective_id
            },
            {
                'raw_column': 'action', 'processed_column': 'action', 'source_value': records.action,
                'processed_value': processed.action,
                'is_different': lower(records.action) is distinct from lower(processed.action)
            },
            {
                'raw_column': 'state', 'processed_column': 'state', 'source_value': records.state,
                'processed_value': processed.state,
                'is_different': lower(records.state) is distinct from lower(processed.state)
            },
            {
                'raw_column': 'effectiveAt', 'processed_column': 'effective_at', 'source_value': records.effectiveat,
                'processed_value': cast(processed.effective_at as varchar),
                'is_different': {{ rollcall.compared_instant('records.effectiveat') }}
                is distinct from processed.effective_at
                or (processed.effective_at is null and records.effectiveat is not null)
            },
            {
                'raw_column': 'teacherSourcedId', 'processed_column': 'teacher_id',
                'source_value': records.teachersourcedid, 'processed_value': processed.teacher_id,
                'is_different': records.teachersourcedid is distinct from processed.teacher_id
            },
            {
                'raw_column': 'reason', 'processed_column': 'reason', 'source_value': records.reason,
                'processed_value': processed.reason, 'is_different': records.reason is distinct from processed.reason
            }
        ] as compared_values
    from pointed_records as records
    left join processed_rows as processed
        on
            records.source_id = processed.source_id
            and records.sourcedid = processed.override_id
            and processed.place = 1
),

-- A key that no newest file names may be named by the latest bulk or a file since.
present_keys as (
    select distinct
        files.source_id,
        records.sourcedid as record_key
    from trimmed_records as records
    inner join files
        on records.file_id = files.file_id and files.is_since_latest_bulk and not files.is_in_scope
    inner join keys
        on files.source_id = keys.source_id and records.sourcedid = keys.record_key
)

select
    'doubt' as kind,
    'overrides/mastery_overrides' as feed,
    *
from doubts
union all by name
select
    'record' as kind,
    'overrides/mastery_overrides' as feed,
    *
from compared_records
union all by name
select
    'present_key' as kind,
    'overrides/mastery_overrides' as feed,
    *
from present_keys

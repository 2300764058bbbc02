-- One row per doubt that oneroster/results and fct_result raise, per record that speaks of one, and per key of one that
-- is present. In doubt is a record of the newest files that the mart does not hold as it is, an active row that none of
-- them names, and a key that stands twice. Written by `rollcall layouts compare`.
with files as (
    select * from {{ ref('int_compared_files') }}
    where feed = 'oneroster/results'
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
        records.lineitemsourcedid,
        records.studentsourcedid,
        records.scorestatus,
        records.score,
        records.scoredate,
        records.textscore,
        records.classsourcedid,
        records.inprogress,
        records.incomplete,
        records.late,
        records.missing
    from {{ source('raw_oneroster', 'results') }} as records
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
        coalesce(records.record_key, processed.result_id) as record_key,
        records.file_id,
        records.record_number,
        records.line_number,
        coalesce(records.is_malformed, false) as is_malformed,
        processed.file_id as processed_file_id,
        processed.record_number as processed_record_number,
        processed.is_active,
        1 as row_count
    from records
    full join {{ ref('fct_result') }} as processed
        on records.source_id = processed.source_id and records.record_key = processed.result_id
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
                or records.lineitemsourcedid is distinct from processed.line_item_id
                or records.studentsourcedid is distinct from processed.student_id
                or (
                    records.scorestatus is distinct from processed.score_status
                    and lower(records.scorestatus) is distinct from lower(processed.score_status)
                )
                or try_cast(records.score as decimal(18, 6)) is distinct from processed.score
                or (processed.score is null and records.score is not null)
                or try_cast(records.scoredate as date) is distinct from processed.score_date
                or (processed.score_date is null and records.scoredate is not null)
                or records.textscore is distinct from processed.text_score
                or coalesce(records.classsourcedid, processed.class_id) is distinct from processed.class_id
                or (
                    (records.inprogress is not null or processed.is_in_progress is not null)
                    and (
                        try_cast(records.inprogress as boolean) is distinct from processed.is_in_progress
                        or (processed.is_in_progress is null and records.inprogress is not null)
                    )
                )
                or (
                    (records.incomplete is not null or processed.is_incomplete is not null)
                    and (
                        try_cast(records.incomplete as boolean) is distinct from processed.is_incomplete
                        or (processed.is_incomplete is null and records.incomplete is not null)
                    )
                )
                or (
                    (records.late is not null or processed.is_late is not null)
                    and (
                        try_cast(records.late as boolean) is distinct from processed.is_late
                        or (processed.is_late is null and records.late is not null)
                    )
                )
                or (
                    (records.missing is not null or processed.is_missing is not null)
                    and (
                        try_cast(records.missing as boolean) is distinct from processed.is_missing
                        or (processed.is_missing is null and records.missing is not null)
                    )
                )
            )
        )

    union all by name

    select
        source_id,
        result_id as record_key,
        false as is_malformed,
        min(file_id) as processed_file_id,
        min(record_number) as processed_record_number,
        true as is_active,
        count(*) as row_count
    from {{ ref('fct_result') }}
    group by source_id, result_id
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
            partition by processed.source_id, processed.result_id
            order by processed.file_id, processed.record_number
        ) as place
    from {{ ref('fct_result') }} as processed
    inner join keys
        on processed.source_id = keys.source_id and processed.result_id = keys.record_key
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
                'raw_column': 'lineItemSourcedId', 'processed_column': 'line_item_id',
                'source_value': records.lineitemsourcedid, 'processed_value': processed.line_item_id,
                'is_different': records.lineitemsourcedid is distinct from processed.line_item_id
            },
            {
                'raw_column': 'studentSourcedId', 'processed_column': 'student_id',
                'source_value': records.studentsourcedid, 'processed_value': processed.student_id,
                'is_different': records.studentsourcedid is distinct from processed.student_id
            },
            {
                'raw_column': 'scoreStatus', 'processed_column': 'score_status', 'source_value': records.scorestatus,
                'processed_value': processed.score_status,
                'is_different': lower(records.scorestatus) is distinct from lower(processed.score_status)
            },
            {
                'raw_column': 'score', 'processed_column': 'score', 'source_value': records.score,
                'processed_value': cast(processed.score as varchar),
                'is_different': try_cast(records.score as decimal(18, 6)) is distinct from processed.score
                or (processed.score is null and records.score is not null)
            },
            {
                'raw_column': 'scoreDate', 'processed_column': 'score_date', 'source_value': records.scoredate,
                'processed_value': cast(processed.score_date as varchar),
                'is_different': try_cast(records.scoredate as date) is distinct from processed.score_date
                or (processed.score_date is null and records.scoredate is not null)
            },
            {
                'raw_column': 'textScore', 'processed_column': 'text_score', 'source_value': records.textscore,
                'processed_value': processed.text_score,
                'is_different': records.textscore is distinct from processed.text_score
            },
            {
                'raw_column': 'classSourcedId', 'processed_column': 'class_id', 'source_value': records.classsourcedid,
                'processed_value': processed.class_id,
                'is_different': coalesce(records.classsourcedid, processed.class_id)
                is distinct from processed.class_id
            },
            {
                'raw_column': 'inProgress', 'processed_column': 'is_in_progress', 'source_value': records.inprogress,
                'processed_value': cast(processed.is_in_progress as varchar),
                'is_different': try_cast(records.inprogress as boolean) is distinct from processed.is_in_progress
                or (processed.is_in_progress is null and records.inprogress is not null)
            },
            {
                'raw_column': 'incomplete', 'processed_column': 'is_incomplete', 'source_value': records.incomplete,
                'processed_value': cast(processed.is_incomplete as varchar),
                'is_different': try_cast(records.incomplete as boolean) is distinct from processed.is_incomplete
                or (processed.is_incomplete is null and records.incomplete is not null)
            },
            {
                'raw_column': 'late', 'processed_column': 'is_late', 'source_value': records.late,
                'processed_value': cast(processed.is_late as varchar),
                'is_different': try_cast(records.late as boolean) is distinct from processed.is_late
                or (processed.is_late is null and records.late is not null)
            },
            {
                'raw_column': 'missing', 'processed_column': 'is_missing', 'source_value': records.missing,
                'processed_value': cast(processed.is_missing as varchar),
                'is_different': try_cast(records.missing as boolean) is distinct from processed.is_missing
                or (processed.is_missing is null and records.missing is not null)
            }
        ] as compared_values
    from pointed_records as records
    left join processed_rows as processed
        on
            records.source_id = processed.source_id
            and records.sourcedid = processed.result_id
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
    'oneroster/results' as feed,
    *
from doubts
union all by name
select
    'record' as kind,
    'oneroster/results' as feed,
    *
from compared_records
union all by name
select
    'present_key' as kind,
    'oneroster/results' as feed,
    *
from present_keys

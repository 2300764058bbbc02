-- One row per doubt that oneroster/line_items and dim_line_item raise, per record that speaks of one, and per key of
-- one that is present. In doubt is a record of the newest files that the mart does not hold as it is, an active row
-- that none of them names, and a key that stands twice. Written by `rollcall layouts compare`.
with files as (
    select * from {{ ref('int_compared_files') }}
    where feed = 'oneroster/line_items'
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
        records.title,
        records.assigndate,
        records.duedate,
        records.classsourcedid,
        records.categorysourcedid,
        records.gradingperiodsourcedid,
        records.resultvaluemin,
        records.resultvaluemax,
        records.schoolsourcedid
    from {{ source('raw_oneroster', 'line_items') }} as records
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
        coalesce(records.record_key, processed.line_item_id) as record_key,
        records.file_id,
        records.record_number,
        records.line_number,
        coalesce(records.is_malformed, false) as is_malformed,
        processed.file_id as processed_file_id,
        processed.record_number as processed_record_number,
        processed.is_active,
        1 as row_count
    from records
    full join {{ ref('dim_line_item') }} as processed
        on records.source_id = processed.source_id and records.record_key = processed.line_item_id
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
                or records.title is distinct from processed.name
                or try_cast(records.assigndate as date) is distinct from processed.assign_date
                or (processed.assign_date is null and records.assigndate is not null)
                or try_cast(records.duedate as date) is distinct from processed.due_date
                or (processed.due_date is null and records.duedate is not null)
                or records.classsourcedid is distinct from processed.class_id
                or records.categorysourcedid is distinct from processed.category_id
                or records.gradingperiodsourcedid is distinct from processed.term_id
                or try_cast(records.resultvaluemin as decimal(18, 6)) is distinct from processed.score_min
                or (processed.score_min is null and records.resultvaluemin is not null)
                or try_cast(records.resultvaluemax as decimal(18, 6)) is distinct from processed.score_max
                or (processed.score_max is null and records.resultvaluemax is not null)
                or records.schoolsourcedid is distinct from processed.org_id
            )
        )

    union all by name

    select
        source_id,
        line_item_id as record_key,
        false as is_malformed,
        min(file_id) as processed_file_id,
        min(record_number) as processed_record_number,
        true as is_active,
        count(*) as row_count
    from {{ ref('dim_line_item') }}
    group by source_id, line_item_id
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
            partition by processed.source_id, processed.line_item_id
            order by processed.file_id, processed.record_number
        ) as place
    from {{ ref('dim_line_item') }} as processed
    inner join keys
        on processed.source_id = keys.source_id and processed.line_item_id = keys.record_key
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
                'raw_column': 'title', 'processed_column': 'name', 'source_value': records.title,
                'processed_value': processed.name, 'is_different': records.title is distinct from processed.name
            },
            {
                'raw_column': 'assignDate', 'processed_column': 'assign_date', 'source_value': records.assigndate,
                'processed_value': cast(processed.assign_date as varchar),
                'is_different': try_cast(records.assigndate as date) is distinct from processed.assign_date
                or (processed.assign_date is null and records.assigndate is not null)
            },
            {
                'raw_column': 'dueDate', 'processed_column': 'due_date', 'source_value': records.duedate,
                'processed_value': cast(processed.due_date as varchar),
                'is_different': try_cast(records.duedate as date) is distinct from processed.due_date
                or (processed.due_date is null and records.duedate is not null)
            },
            {
                'raw_column': 'classSourcedId', 'processed_column': 'class_id', 'source_value': records.classsourcedid,
                'processed_value': processed.class_id,
                'is_different': records.classsourcedid is distinct from processed.class_id
            },
            {
                'raw_column': 'categorySourcedId', 'processed_column': 'category_id',
                'source_value': records.categorysourcedid, 'processed_value': processed.category_id,
                'is_different': records.categorysourcedid is distinct from processed.category_id
            },
            {
                'raw_column': 'gradingPeriodSourcedId', 'processed_column': 'term_id',
                'source_value': records.gradingperiodsourcedid, 'processed_value': processed.term_id,
                'is_different': records.gradingperiodsourcedid is distinct from processed.term_id
            },
            {
                'raw_column': 'resultValueMin', 'processed_column': 'score_min', 'source_value': records.resultvaluemin,
                'processed_value': cast(processed.score_min as varchar),
                'is_different': try_cast(records.resultvaluemin as decimal(18, 6)) is distinct from processed.score_min
                or (processed.score_min is null and records.resultvaluemin is not null)
            },
            {
                'raw_column': 'resultValueMax', 'processed_column': 'score_max', 'source_value': records.resultvaluemax,
                'processed_value': cast(processed.score_max as varchar),
                'is_different': try_cast(records.resultvaluemax as decimal(18, 6)) is distinct from processed.score_max
                or (processed.score_max is null and records.resultvaluemax is not null)
            },
            {
                'raw_column': 'schoolSourcedId', 'processed_column': 'org_id', 'source_value': records.schoolsourcedid,
                'processed_value': processed.org_id,
                'is_different': records.schoolsourcedid is distinct from processed.org_id
            }
        ] as compared_values
    from pointed_records as records
    left join processed_rows as processed
        on
            records.source_id = processed.source_id
            and records.sourcedid = processed.line_item_id
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
    'oneroster/line_items' as feed,
    *
from doubts
union all by name
select
    'record' as kind,
    'oneroster/line_items' as feed,
    *
from compared_records
union all by name
select
    'present_key' as kind,
    'oneroster/line_items' as feed,
    *
from present_keys

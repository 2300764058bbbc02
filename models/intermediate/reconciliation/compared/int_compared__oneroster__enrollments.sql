-- One row per doubt that oneroster/enrollments and fct_enrollment raise, per record that speaks of one, and per key of
-- one that is present. In doubt is a record of the newest files that the mart does not hold as it is, an active row
-- that none of them names, and a key that stands twice. Written by `rollcall layouts compare`.
with files as (
    select * from {{ ref('int_compared_files') }}
    where feed = 'oneroster/enrollments'
),

-- What is compared of a record.
raw_records as not materialized (
    select
        records.file_id,
        records.record_number,
        records.line_number,
        records.sourcedid,
        records.status,
        records.classsourcedid,
        records.schoolsourcedid,
        records.usersourcedid,
        records.role,
        records.datelastmodified,
        records.primary,
        records.begindate,
        records.enddate
    from {{ source('raw_oneroster', 'enrollments') }} as records
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
        coalesce(records.record_key, processed.enrollment_id) as record_key,
        records.file_id,
        records.record_number,
        records.line_number,
        coalesce(records.is_malformed, false) as is_malformed,
        processed.file_id as processed_file_id,
        processed.record_number as processed_record_number,
        processed.is_active,
        1 as row_count
    from records
    full join {{ rollcall.of_oneroster('fct_enrollment') }} as processed
        on records.source_id = processed.source_id and records.record_key = processed.enrollment_id
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
                or records.classsourcedid is distinct from processed.class_id
                or records.schoolsourcedid is distinct from processed.org_id
                or records.usersourcedid is distinct from processed.user_id
                or (
                    records.role is distinct from processed.role
                    and lower(records.role) is distinct from lower(processed.role)
                )
                or {{ rollcall.compared_instant('records.datelastmodified') }} is distinct from processed.modified_at
                or (processed.modified_at is null and records.datelastmodified is not null)
                or try_cast(records.primary as boolean) is distinct from processed.is_primary
                or (processed.is_primary is null and records.primary is not null)
                or (
                    (records.begindate is not null or processed.begin_date is not null)
                    and (
                        try_cast(records.begindate as date) is distinct from processed.begin_date
                        or (processed.begin_date is null and records.begindate is not null)
                    )
                )
                or (
                    (records.enddate is not null or processed.end_date is not null)
                    and (
                        try_cast(records.enddate as date) is distinct from processed.end_date
                        or (processed.end_date is null and records.enddate is not null)
                    )
                )
            )
        )

    union all by name

    select
        source_id,
        enrollment_id as record_key,
        false as is_malformed,
        min(file_id) as processed_file_id,
        min(record_number) as processed_record_number,
        true as is_active,
        count(*) as row_count
    from {{ rollcall.of_oneroster('fct_enrollment') }}
    group by source_id, enrollment_id
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
            partition by processed.source_id, processed.enrollment_id
            order by processed.file_id, processed.record_number
        ) as place
    from {{ rollcall.of_oneroster('fct_enrollment') }} as processed
    inner join keys
        on processed.source_id = keys.source_id and processed.enrollment_id = keys.record_key
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
                'raw_column': 'classSourcedId', 'processed_column': 'class_id', 'source_value': records.classsourcedid,
                'processed_value': processed.class_id,
                'is_different': records.classsourcedid is distinct from processed.class_id
            },
            {
                'raw_column': 'schoolSourcedId', 'processed_column': 'org_id', 'source_value': records.schoolsourcedid,
                'processed_value': processed.org_id,
                'is_different': records.schoolsourcedid is distinct from processed.org_id
            },
            {
                'raw_column': 'userSourcedId', 'processed_column': 'user_id', 'source_value': records.usersourcedid,
                'processed_value': processed.user_id,
                'is_different': records.usersourcedid is distinct from processed.user_id
            },
            {
                'raw_column': 'role', 'processed_column': 'role', 'source_value': records.role,
                'processed_value': processed.role,
                'is_different': lower(records.role) is distinct from lower(processed.role)
            },
            {
                'raw_column': 'dateLastModified', 'processed_column': 'modified_at',
                'source_value': records.datelastmodified, 'processed_value': cast(processed.modified_at as varchar),
                'is_different': {{ rollcall.compared_instant('records.datelastmodified') }}
                is distinct from processed.modified_at
                or (processed.modified_at is null and records.datelastmodified is not null)
            },
            {
                'raw_column': 'primary', 'processed_column': 'is_primary', 'source_value': records.primary,
                'processed_value': cast(processed.is_primary as varchar),
                'is_different': try_cast(records.primary as boolean) is distinct from processed.is_primary
                or (processed.is_primary is null and records.primary is not null)
            },
            {
                'raw_column': 'beginDate', 'processed_column': 'begin_date', 'source_value': records.begindate,
                'processed_value': cast(processed.begin_date as varchar),
                'is_different': try_cast(records.begindate as date) is distinct from processed.begin_date
                or (processed.begin_date is null and records.begindate is not null)
            },
            {
                'raw_column': 'endDate', 'processed_column': 'end_date', 'source_value': records.enddate,
                'processed_value': cast(processed.end_date as varchar),
                'is_different': try_cast(records.enddate as date) is distinct from processed.end_date
                or (processed.end_date is null and records.enddate is not null)
            }
        ] as compared_values
    from pointed_records as records
    left join processed_rows as processed
        on
            records.source_id = processed.source_id
            and records.sourcedid = processed.enrollment_id
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
    'oneroster/enrollments' as feed,
    *
from doubts
union all by name
select
    'record' as kind,
    'oneroster/enrollments' as feed,
    *
from compared_records
union all by name
select
    'present_key' as kind,
    'oneroster/enrollments' as feed,
    *
from present_keys

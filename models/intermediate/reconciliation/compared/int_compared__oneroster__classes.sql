-- One row per doubt that oneroster/classes and dim_class raise, per record that speaks of one, and per key of one that
-- is present. In doubt is a record of the newest files that the mart does not hold as it is, an active row that none of
-- them names, and a key that stands twice. Written by `rollcall layouts compare`.
with files as (
    select * from {{ ref('int_compared_files') }}
    where feed = 'oneroster/classes'
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
        records.grades,
        records.coursesourcedid,
        records.classcode,
        records.classtype,
        records.location,
        records.schoolsourcedid,
        records.termsourcedids,
        records.subjects,
        records.subjectcodes,
        records.periods
    from {{ source('raw_oneroster', 'classes') }} as records
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
        coalesce(records.record_key, processed.class_id) as record_key,
        records.file_id,
        records.record_number,
        records.line_number,
        coalesce(records.is_malformed, false) as is_malformed,
        processed.file_id as processed_file_id,
        processed.record_number as processed_record_number,
        processed.is_active,
        1 as row_count
    from records
    full join {{ rollcall.of_oneroster('dim_class') }} as processed
        on records.source_id = processed.source_id and records.record_key = processed.class_id
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
                or nullif(trim(regexp_replace(records.grades, '[\pZ\pC]*,[,\pZ\pC]*', ',', 'g'), ','), '')
                is distinct from nullif(array_to_string(processed.grades, ','), '')
                or records.coursesourcedid is distinct from processed.course_id
                or records.classcode is distinct from processed.class_code
                or (
                    records.classtype is distinct from processed.class_type
                    and lower(records.classtype) is distinct from lower(processed.class_type)
                )
                or records.location is distinct from processed.location
                or records.schoolsourcedid is distinct from processed.org_id
                or nullif(trim(regexp_replace(records.termsourcedids, '[\pZ\pC]*,[,\pZ\pC]*', ',', 'g'), ','), '')
                is distinct from nullif(array_to_string(processed.term_ids, ','), '')
                or nullif(trim(regexp_replace(records.subjects, '[\pZ\pC]*,[,\pZ\pC]*', ',', 'g'), ','), '')
                is distinct from nullif(array_to_string(processed.subjects, ','), '')
                or (
                    (records.subjectcodes is not null or processed.subject_codes is not null)
                    and nullif(trim(regexp_replace(records.subjectcodes, '[\pZ\pC]*,[,\pZ\pC]*', ',', 'g'), ','), '')
                    is distinct from nullif(array_to_string(processed.subject_codes, ','), '')
                )
                or (
                    (records.periods is not null or processed.periods is not null)
                    and nullif(trim(regexp_replace(records.periods, '[\pZ\pC]*,[,\pZ\pC]*', ',', 'g'), ','), '')
                    is distinct from nullif(array_to_string(processed.periods, ','), '')
                )
            )
        )

    union all by name

    select
        source_id,
        class_id as record_key,
        false as is_malformed,
        min(file_id) as processed_file_id,
        min(record_number) as processed_record_number,
        true as is_active,
        count(*) as row_count
    from {{ rollcall.of_oneroster('dim_class') }}
    group by source_id, class_id
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
            partition by processed.source_id, processed.class_id
            order by processed.file_id, processed.record_number
        ) as place
    from {{ rollcall.of_oneroster('dim_class') }} as processed
    inner join keys
        on processed.source_id = keys.source_id and processed.class_id = keys.record_key
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
                'raw_column': 'grades', 'processed_column': 'grades', 'source_value': records.grades,
                'processed_value': nullif(array_to_string(processed.grades, ','), ''),
                'is_different': nullif(trim(regexp_replace(records.grades, '[\pZ\pC]*,[,\pZ\pC]*', ',', 'g'), ','), '')
                is distinct from nullif(array_to_string(processed.grades, ','), '')
            },
            {
                'raw_column': 'courseSourcedId', 'processed_column': 'course_id',
                'source_value': records.coursesourcedid, 'processed_value': processed.course_id,
                'is_different': records.coursesourcedid is distinct from processed.course_id
            },
            {
                'raw_column': 'classCode', 'processed_column': 'class_code', 'source_value': records.classcode,
                'processed_value': processed.class_code,
                'is_different': records.classcode is distinct from processed.class_code
            },
            {
                'raw_column': 'classType', 'processed_column': 'class_type', 'source_value': records.classtype,
                'processed_value': processed.class_type,
                'is_different': lower(records.classtype) is distinct from lower(processed.class_type)
            },
            {
                'raw_column': 'location', 'processed_column': 'location', 'source_value': records.location,
                'processed_value': processed.location,
                'is_different': records.location is distinct from processed.location
            },
            {
                'raw_column': 'schoolSourcedId', 'processed_column': 'org_id', 'source_value': records.schoolsourcedid,
                'processed_value': processed.org_id,
                'is_different': records.schoolsourcedid is distinct from processed.org_id
            },
            {
                'raw_column': 'termSourcedIds', 'processed_column': 'term_ids', 'source_value': records.termsourcedids,
                'processed_value': nullif(array_to_string(processed.term_ids, ','), ''),
                'is_different':
                nullif(trim(regexp_replace(records.termsourcedids, '[\pZ\pC]*,[,\pZ\pC]*', ',', 'g'), ','), '')
                is distinct from nullif(array_to_string(processed.term_ids, ','), '')
            },
            {
                'raw_column': 'subjects', 'processed_column': 'subjects', 'source_value': records.subjects,
                'processed_value': nullif(array_to_string(processed.subjects, ','), ''),
                'is_different':
                nullif(trim(regexp_replace(records.subjects, '[\pZ\pC]*,[,\pZ\pC]*', ',', 'g'), ','), '')
                is distinct from nullif(array_to_string(processed.subjects, ','), '')
            },
            {
                'raw_column': 'subjectCodes', 'processed_column': 'subject_codes', 'source_value': records.subjectcodes,
                'processed_value': nullif(array_to_string(processed.subject_codes, ','), ''),
                'is_different':
                nullif(trim(regexp_replace(records.subjectcodes, '[\pZ\pC]*,[,\pZ\pC]*', ',', 'g'), ','), '')
                is distinct from nullif(array_to_string(processed.subject_codes, ','), '')
            },
            {
                'raw_column': 'periods', 'processed_column': 'periods', 'source_value': records.periods,
                'processed_value': nullif(array_to_string(processed.periods, ','), ''),
                'is_different':
                nullif(trim(regexp_replace(records.periods, '[\pZ\pC]*,[,\pZ\pC]*', ',', 'g'), ','), '')
                is distinct from nullif(array_to_string(processed.periods, ','), '')
            }
        ] as compared_values
    from pointed_records as records
    left join processed_rows as processed
        on
            records.source_id = processed.source_id
            and records.sourcedid = processed.class_id
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
    'oneroster/classes' as feed,
    *
from doubts
union all by name
select
    'record' as kind,
    'oneroster/classes' as feed,
    *
from compared_records
union all by name
select
    'present_key' as kind,
    'oneroster/classes' as feed,
    *
from present_keys

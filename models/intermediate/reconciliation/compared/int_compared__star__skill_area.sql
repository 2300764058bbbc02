-- One row per doubt that star/skill_area and fct_star_skill_area raise, per record that speaks of one, and per key of
-- one that is present. In doubt is a record of the newest files that the mart does not hold as it is, an active row
-- that none of them names, and a key that stands twice. Written by `rollcall layouts compare`.
-- noqa: disable=LT05
{{ config(enabled=is_used('star')) }}

with parts as (
    select * from {{ ref('int_compared_parts__star__skill_area') }}
),

of_parts as (
    select
        file_id,
        bool_or(is_in_scope) as is_in_scope
    from parts
    group by file_id
),

files as (
    select
        files.* exclude (is_in_scope),
        files.is_in_scope or coalesce(of_parts.is_in_scope, false) as is_in_scope
    from {{ ref('int_compared_files') }} as files
    left join of_parts on files.file_id = of_parts.file_id
    where files.feed = 'star/skill_area'
),

-- What is compared of a record.
raw_records as not materialized (
    select
        records.file_id,
        records.record_number,
        records.line_number,
        records.assessmentid,
        records.skillareaname,
        records.schoolyear,
        records.studentrenaissanceid,
        records.studentsourcedid,
        records.studentidentifier,
        records.studentuserid,
        records.studentstateid,
        records.completeddate,
        records.familyname,
        records.domainname,
        records.domainscore,
        records.skillareamasteryscore
    from {{ source('raw_star', 'skill_area') }} as records
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
        replace(records.assessmentid, '|', '||') || ' | ' || replace(records.skillareaname, '|', '||') as record_key,
        false as is_malformed,
        records.*
    from trimmed_records as records
    inner join files on records.file_id = files.file_id and files.is_in_scope
    inner join parts
        on
            records.file_id = parts.file_id
            and try_cast(left(records.schoolyear, 4) as integer) + cast(length(records.schoolyear) > 4 as integer) is not distinct from parts.part
            and parts.is_in_scope

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
        coalesce(records.record_key, replace(processed.assessment_id, '|', '||') || ' | ' || replace(processed.skill_area_name, '|', '||')) as record_key,
        records.file_id,
        records.record_number,
        records.line_number,
        coalesce(records.is_malformed, false) as is_malformed,
        processed.file_id as processed_file_id,
        processed.record_number as processed_record_number,
        processed.is_active,
        1 as row_count
    from records
    full join {{ ref('fct_star_skill_area') }} as processed
        on records.source_id = processed.source_id and records.record_key = replace(processed.assessment_id, '|', '||') || ' | ' || replace(processed.skill_area_name, '|', '||')
    where
        (records.file_id is null and processed.is_active)
        or records.is_malformed
        or (
            records.file_id is not null
            and (
                processed.is_active is distinct from true
                or (records.is_visible and records.file_id <> processed.file_id)
                or (records.is_visible and records.record_number <> processed.record_number)
                or try_cast(left(records.schoolyear, 4) as integer) + cast(length(records.schoolyear) > 4 as integer)
                is distinct from processed.data_year
                or (processed.data_year is null and records.schoolyear is not null)
                or records.studentrenaissanceid is distinct from processed.student_vendor_id
                or records.studentsourcedid is distinct from processed.student_sourced_id
                or records.studentidentifier is distinct from processed.student_id
                or records.studentuserid is distinct from processed.student_user_id
                or records.studentstateid is distinct from processed.student_state_id
                or {{ rollcall.compared_instant('records.completeddate') }} is distinct from processed.event_at
                or (processed.event_at is null and records.completeddate is not null)
                or records.familyname is distinct from processed.family
                or records.domainname is distinct from processed.domain_name
                or try_cast(records.domainscore as integer) is distinct from processed.domain_score
                or (processed.domain_score is null and records.domainscore is not null)
                or try_cast(records.skillareamasteryscore as integer) is distinct from processed.mastery_score
                or (processed.mastery_score is null and records.skillareamasteryscore is not null)
            )
        )

    union all by name

    select
        source_id,
        replace(assessment_id, '|', '||') || ' | ' || replace(skill_area_name, '|', '||') as record_key,
        false as is_malformed,
        min(file_id) as processed_file_id,
        min(record_number) as processed_record_number,
        true as is_active,
        count(*) as row_count
    from {{ ref('fct_star_skill_area') }}
    group by source_id, replace(assessment_id, '|', '||') || ' | ' || replace(skill_area_name, '|', '||')
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
            partition by processed.source_id, replace(processed.assessment_id, '|', '||') || ' | ' || replace(processed.skill_area_name, '|', '||')
            order by processed.file_id, processed.record_number
        ) as place
    from {{ ref('fct_star_skill_area') }} as processed
    inner join keys
        on processed.source_id = keys.source_id and replace(processed.assessment_id, '|', '||') || ' | ' || replace(processed.skill_area_name, '|', '||') = keys.record_key
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
        replace(records.assessmentid, '|', '||') || ' | ' || replace(records.skillareaname, '|', '||') as record_key,
        records.file_id,
        records.record_number,
        false as is_deletion,
        cast(null as timestamp) as modified_at,
        parts.is_in_scope,
        [
            {
                'raw_column': 'SchoolYear', 'processed_column': 'data_year', 'source_value': records.schoolyear,
                'processed_value': cast(processed.data_year as varchar),
                'is_different':
                try_cast(left(records.schoolyear, 4) as integer) + cast(length(records.schoolyear) > 4 as integer)
                is distinct from processed.data_year
                or (processed.data_year is null and records.schoolyear is not null)
            },
            {
                'raw_column': 'StudentRenaissanceID', 'processed_column': 'student_vendor_id',
                'source_value': records.studentrenaissanceid, 'processed_value': processed.student_vendor_id,
                'is_different': records.studentrenaissanceid is distinct from processed.student_vendor_id
            },
            {
                'raw_column': 'StudentSourcedID', 'processed_column': 'student_sourced_id',
                'source_value': records.studentsourcedid, 'processed_value': processed.student_sourced_id,
                'is_different': records.studentsourcedid is distinct from processed.student_sourced_id
            },
            {
                'raw_column': 'StudentIdentifier', 'processed_column': 'student_id',
                'source_value': records.studentidentifier, 'processed_value': processed.student_id,
                'is_different': records.studentidentifier is distinct from processed.student_id
            },
            {
                'raw_column': 'StudentUserID', 'processed_column': 'student_user_id',
                'source_value': records.studentuserid, 'processed_value': processed.student_user_id,
                'is_different': records.studentuserid is distinct from processed.student_user_id
            },
            {
                'raw_column': 'StudentStateID', 'processed_column': 'student_state_id',
                'source_value': records.studentstateid, 'processed_value': processed.student_state_id,
                'is_different': records.studentstateid is distinct from processed.student_state_id
            },
            {
                'raw_column': 'CompletedDate', 'processed_column': 'event_at', 'source_value': records.completeddate,
                'processed_value': cast(processed.event_at as varchar),
                'is_different': {{ rollcall.compared_instant('records.completeddate') }}
                is distinct from processed.event_at
                or (processed.event_at is null and records.completeddate is not null)
            },
            {
                'raw_column': 'FamilyName', 'processed_column': 'family', 'source_value': records.familyname,
                'processed_value': processed.family,
                'is_different': records.familyname is distinct from processed.family
            },
            {
                'raw_column': 'DomainName', 'processed_column': 'domain_name', 'source_value': records.domainname,
                'processed_value': processed.domain_name,
                'is_different': records.domainname is distinct from processed.domain_name
            },
            {
                'raw_column': 'DomainScore', 'processed_column': 'domain_score', 'source_value': records.domainscore,
                'processed_value': cast(processed.domain_score as varchar),
                'is_different': try_cast(records.domainscore as integer) is distinct from processed.domain_score
                or (processed.domain_score is null and records.domainscore is not null)
            },
            {
                'raw_column': 'SkillAreaMasteryScore', 'processed_column': 'mastery_score',
                'source_value': records.skillareamasteryscore,
                'processed_value': cast(processed.mastery_score as varchar),
                'is_different': try_cast(records.skillareamasteryscore as integer)
                is distinct from processed.mastery_score
                or (processed.mastery_score is null and records.skillareamasteryscore is not null)
            }
        ] as compared_values
    from pointed_records as records
    left join processed_rows as processed
        on
            records.source_id = processed.source_id
            and replace(records.assessmentid, '|', '||') || ' | ' || replace(records.skillareaname, '|', '||') = replace(processed.assessment_id, '|', '||') || ' | ' || replace(processed.skill_area_name, '|', '||')
            and processed.place = 1
    left join parts
        on records.file_id = parts.file_id and try_cast(left(records.schoolyear, 4) as integer) + cast(length(records.schoolyear) > 4 as integer) is not distinct from parts.part
),

-- A key that no newest file names may be named since the latest bulk that lists the SchoolYear of its row.
named as (
    select
        records.file_id,
        replace(records.assessmentid, '|', '||') || ' | ' || replace(records.skillareaname, '|', '||') as record_key
    from trimmed_records as records
    union all
    select
        file_id,
        record_key
    from {{ source('landing', 'malformed_records') }}
),

bulks as (
    select distinct
        source_id,
        part,
        newest_bulk_file_id,
        latest_bulk_exported_at
    from parts
),

present_keys as (
    select distinct
        files.source_id,
        named.record_key,
        bulks.newest_bulk_file_id as file_id
    from named
    inner join files on named.file_id = files.file_id and files.is_visible
    inner join processed_rows as processed
        on
            files.source_id = processed.source_id
            and named.record_key = replace(processed.assessment_id, '|', '||') || ' | ' || replace(processed.skill_area_name, '|', '||')
            and processed.place = 1
    left join bulks
        on
            processed.source_id = bulks.source_id
            and processed.data_year is not distinct from bulks.part
    where coalesce(files.exported_at >= bulks.latest_bulk_exported_at, true)
)

select
    'doubt' as kind,
    'star/skill_area' as feed,
    *
from doubts
union all by name
select
    'record' as kind,
    'star/skill_area' as feed,
    *
from compared_records
union all by name
select
    'present_key' as kind,
    'star/skill_area' as feed,
    *
from present_keys

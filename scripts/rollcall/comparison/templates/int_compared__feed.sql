[[ ("One row per doubt that " ~ feed.feed ~ " and " ~ feed.mart ~ " raise, per record that speaks of one, and per key of one that is present. In doubt is a record of the newest files that the mart does not hold as it is, an active row that none of them names, and a key that stands twice.") | header ]]
[% if is_own %]
{{ config(materialized='ephemeral') }}

[% elif feed not in always %]
{{ config(enabled=is_used('[[ feed.family ]]')) }}

[% endif %]
[% if feed.whole_by %]
with parts as (
    select * from {{ ref('[[ feed.parts ]]') }}
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
    where files.feed = '[[ feed.feed ]]'
),

[% else %]
with files as (
    select * from {{ ref('int_compared_files') }}
    where feed = '[[ feed.feed ]]'
),

[% endif %]
-- What is compared of a record.
raw_records as not materialized (
    select
        records.file_id,
        records.record_number,
        records.line_number,
        [% for text in feed.texts %]
        [[ text ]][[ "," if not loop.last ]]
        [% endfor %]
    from [[ feed.raw_table ]] as records
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
                    columns(* exclude (file_id, record_number, line_number)), '[[ blanks_around ]]', '', 'g'
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
        [[ feed.record_key ]] as record_key,
        false as is_malformed,
        records.*
    from trimmed_records as records
    inner join files on records.file_id = files.file_id and files.is_in_scope
    [% if feed.whole_by %]
    inner join parts
        on
            records.file_id = parts.file_id
            and [[ feed.whole_by.value ]] is not distinct from parts.part
            and parts.is_in_scope
    [% endif %]

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
        coalesce(records.record_key, [[ feed.key_in('processed.') ]]) as record_key,
        records.file_id,
        records.record_number,
        records.line_number,
        coalesce(records.is_malformed, false) as is_malformed,
        processed.file_id as processed_file_id,
        processed.record_number as processed_record_number,
        processed.is_active,
        1 as row_count
    from records
    full join {{ [[ feed.rows ]] }} as processed
        on records.source_id = processed.source_id and records.record_key = [[ feed.key_in('processed.') ]]
    where
        (records.file_id is null and processed.is_active)
        or records.is_malformed
        [% if feed.status %]
        or (
            [[ feed.deletes ]]
            and (
                processed.is_active
                or records.file_id <> processed.file_id
                or records.record_number <> processed.record_number
            )
        )
        [% endif %]
        or (
            records.file_id is not null
            [% if feed.status %]
            and coalesce([[ feed.keeps ]], true)
            [% endif %]
            and (
                processed.is_active is distinct from true
                or (records.is_visible and records.file_id <> processed.file_id)
                or (records.is_visible and records.record_number <> processed.record_number)
                or [[ feed.conditions | indent(16) ]]
            )
        )

    union all by name

    select
        source_id,
        [[ feed.key_in('') ]] as record_key,
        false as is_malformed,
        min(file_id) as processed_file_id,
        min(record_number) as processed_record_number,
        true as is_active,
        count(*) as row_count
    from {{ [[ feed.rows ]] }}
    group by source_id, [[ feed.key_in('') ]]
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
            partition by processed.source_id, [[ feed.key_in('processed.') ]]
            order by processed.file_id, processed.record_number
        ) as place
    from {{ [[ feed.rows ]] }} as processed
    inner join keys
        on processed.source_id = keys.source_id and [[ feed.key_in('processed.') ]] = keys.record_key
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
        [[ feed.record_key ]] as record_key,
        records.file_id,
        records.record_number,
        [[ "coalesce(" ~ feed.deletes ~ ", false)" if feed.status else "false" ]] as is_deletion,
        [[ feed.modified_at ]] as modified_at,
        [% if feed.whole_by %]
        parts.is_in_scope,
        [% endif %]
        [
            [% for column in feed.columns %]
            [[ column.comparison | indent(12) ]][[ "," if not loop.last ]]
            [% endfor %]
        ] as compared_values
    from pointed_records as records
    left join processed_rows as processed
        on
            records.source_id = processed.source_id
            and [[ feed.record_key ]] = [[ feed.key_in('processed.') ]]
            and processed.place = 1
    [% if feed.whole_by %]
    left join parts
        on records.file_id = parts.file_id and [[ feed.whole_by.value ]] is not distinct from parts.part
    [% endif %]
),

[% if feed.whole_by %]
-- A key that no newest file names may be named since the latest bulk that lists the [[ feed.whole_by.raw_column ]] of its row.
named as (
    select
        records.file_id,
        [[ feed.record_key ]] as record_key
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
            and named.record_key = [[ feed.key_in('processed.') ]]
            and processed.place = 1
    left join bulks
        on
            processed.source_id = bulks.source_id
            and processed.[[ feed.whole_by.name ]] is not distinct from bulks.part
    where coalesce(files.exported_at >= bulks.latest_bulk_exported_at, true)
)

[% else %]
-- A key that no newest file names may be named by the latest bulk or a file since.
present_keys as (
    select distinct
        files.source_id,
        [[ feed.record_key ]] as record_key
    from trimmed_records as records
    inner join files
        on records.file_id = files.file_id and files.is_since_latest_bulk and not files.is_in_scope
    inner join keys
        on files.source_id = keys.source_id and [[ feed.record_key ]] = keys.record_key
)

[% endif %]
select
    'doubt' as kind,
    '[[ feed.feed ]]' as feed,
    *
from doubts
union all by name
select
    'record' as kind,
    '[[ feed.feed ]]' as feed,
    *
from compared_records
union all by name
select
    'present_key' as kind,
    '[[ feed.feed ]]' as feed,
    *
from present_keys

[[ "One row per number of a record of the newest files, and per number of an active row of a mart." | header ]]
[% if is_own %]
{{ config(materialized='ephemeral') }}

[% endif %]
[% macro numbers(feed, column) %]
select
    files.source_id,
    '[[ feed.feed ]]' as feed,
    '[[ column.name ]]' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    [[ column.value ]] as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        [% for field in (feed.status, feed.whole_by, column) if field %]
        regexp_replace(
            [[ field.field ]], '[[ blanks_around ]]', '', 'g'
        ) as [[ field.field ]][[ "," if not loop.last ]]
        [% endfor %]
    from [[ feed.raw_table ]]
) as records
[% if feed.whole_by %]
inner join {{ ref('int_compared_files') }} as files on records.file_id = files.file_id and files.is_visible
inner join {{ ref('[[ feed.parts ]]') }} as parts
    on
        records.file_id = parts.file_id
        and [[ feed.whole_by.value ]] is not distinct from parts.part
        and parts.is_in_scope
[% else %]
inner join files on records.file_id = files.file_id
[% endif %]
[% if feed.status %]
where coalesce([[ feed.keeps ]], true)
[% endif %]

union all

select
    source_id,
    '[[ feed.feed ]]' as feed,
    '[[ column.name ]]' as column_name,
    file_id,
    record_number,
    [[ feed.key_in('') ]] as record_key,
    cast(null as decimal(18, 6)) as source_number,
    [[ column.name ]] as processed_number
from {{ ref('[[ feed.mart ]]') }}
where is_active
[% endmacro %]
with files as (
    select * from {{ ref('int_compared_files') }}
    where is_in_scope and is_visible
)

[% set have_numbers = always | map(attribute="numbers") | select | list %]
[% if not is_own or not have_numbers %]
select
    cast(null as varchar) as source_id,
    cast(null as varchar) as feed,
    cast(null as varchar) as column_name,
    cast(null as varchar) as file_id,
    cast(null as bigint) as record_number,
    cast(null as varchar) as record_key,
    cast(null as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from files
where false
[% endif %]
[% if not is_own %]

{% if reads_oneroster() %}
[% endif %]
[% for feed in always if feed.numbers %]
[% set is_first_feed = loop.first %]
[% for column in feed.numbers %]
[% if not is_own or not (loop.first and is_first_feed) %]

union all

[% endif %]
[[ numbers(feed, column) -]]
[% endfor %]
[% endfor %]
[% if not is_own %]

{% endif %}
[% endif %]
[% for family, of_family in further.items() if of_family | map(attribute="numbers") | select | list %]

{% if is_used('[[ family ]]') %}
[% for feed in of_family %]
[% for column in feed.numbers %]
union all

[[ numbers(feed, column) -]]
[% endfor %]
[% endfor %]
{% endif %}
[% endfor %]
[% if not is_own %]

{% if own_feeds() %}
union all

select * from {{ ref('int_compared_own_numbers') }}
{% endif %}
[% endif %]

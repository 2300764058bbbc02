[[ "One row per number of a record of the newest files, and per number of an active row of a mart." | header ]]
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
from [[ feed.raw_table ]] as records
inner join files on records.file_id = files.file_id
where coalesce([[ feed.keeps ]], true)

union all

select
    source_id,
    '[[ feed.feed ]]' as feed,
    '[[ column.name ]]' as column_name,
    file_id,
    record_number,
    [[ feed.key.name ]] as record_key,
    cast(null as decimal(18, 6)) as source_number,
    [[ column.name ]] as processed_number
from {{ ref('[[ feed.mart ]]') }}
where is_active
[% endmacro %]
with files as (
    select * from {{ ref('int_compared_files') }}
    where is_in_scope and is_visible
)

[% for feed in feeds if feed.family == always_used and feed.numbers %]
[% set is_last_feed = loop.last %]
[% for column in feed.numbers %]
[[ numbers(feed, column) -]]
[% if not (loop.last and is_last_feed) %]

union all

[% endif %]
[% endfor %]
[% endfor %]
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

[[ "One row per row of staging whose key differs without a reason: what does it hold?" | header ]]
{{ config(materialized='table') }}

[% macro staged(feed) %]
select
    '[[ feed.feed ]]' as feed,
    staged.source_id,
    staged.[[ feed.key.name ]] as record_key,
    [
        [% for column in feed.columns %]
        { 'column': '[[ column.name ]]', 'staged_value': [[ column.staged ]] }[[ "," if not loop.last ]]
        [% endfor %]
    ] as staged_values
from {{ ref('[[ feed.staged ]]') }} as staged
inner join doubts
    on
        doubts.feed = '[[ feed.feed ]]'
        and staged.source_id = doubts.source_id
        and staged.[[ feed.key.name ]] = doubts.record_key
[% endmacro %]
with doubts as (
    select distinct
        feed,
        source_id,
        record_key
    from {{ ref('int_differences_explained') }}
    where reason = 'unexplained'
)

[% for feed in feeds if feed.family == always_used %]
[[ staged(feed) -]]
[% if not loop.last %]

union all

[% endif %]
[% endfor %]
[% for family, of_family in further.items() %]

{% if is_used('[[ family ]]') %}
[% for feed in of_family %]
union all

[[ staged(feed) -]]
[% endfor %]
{% endif %}
[% endfor %]

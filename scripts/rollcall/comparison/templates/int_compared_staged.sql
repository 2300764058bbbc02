[[ "One row per row of staging whose key differs without a reason: what does it hold?" | header ]]
{{ config(materialized='[[ "ephemeral" if is_own else "table" ]]') }}

[% macro staged(feed) %]
select
    '[[ feed.feed ]]' as feed,
    staged.source_id,
    [[ feed.key_in('staged.') ]] as record_key,
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
        and [[ feed.key_in('staged.') ]] = doubts.record_key
[% endmacro %]
with doubts as (
    select distinct
        feed,
        source_id,
        record_key
    from {{ ref('int_differences_explained') }}
    where reason = 'unexplained'
)

[% if not is_own %]
select
    cast(null as varchar) as feed,
    cast(null as varchar) as source_id,
    cast(null as varchar) as record_key,
    cast(null as struct("column" varchar, staged_value varchar)[]) as staged_values
where false

{% if reads_oneroster() %}
[% endif %]
[% for feed in always %]
[% if not is_own or not loop.first %]
union all

[% endif %]
[[ staged(feed) -]]
[% if not loop.last %]

[% endif %]
[% endfor %]
[% if not is_own %]

{% endif %}
[% endif %]
[% for family, of_family in further.items() %]

{% if is_used('[[ family ]]') %}
[% for feed in of_family %]
union all

[[ staged(feed) -]]
[% endfor %]
{% endif %}
[% endfor %]
[% if not is_own %]

{% if own_feeds() %}
union all

select * from {{ ref('int_compared_own_staged') }}
{% endif %}
[% endif %]

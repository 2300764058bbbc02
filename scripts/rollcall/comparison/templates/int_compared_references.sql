[[ "One row per active row of a mart and column in which it refers to a record that has not come." | header ]]
[% if is_own %]
{{ config(materialized='ephemeral') }}

[% endif %]
[% macro unresolved(feed) %]
select
    processed.source_id,
    '[[ feed.feed ]]' as feed,
    [[ feed.key_in('processed.') ]] as record_key,
    processed.file_id,
    processed.record_number,
    processed.line_number,
    unresolved.processed_column,
    case unresolved.processed_column
        [% for column in feed.references %]
        when '[[ column.name ]]' then [[ column.processed ]]
        [% endfor %]
    end as source_value
from {{ [[ feed.rows ]] }} as processed
cross join unnest(processed.unresolved) as unresolved (processed_column)
where processed.is_active
[% endmacro %]
[% set have_references = always | map(attribute="references") | select | list %]
[% if not is_own or not have_references %]
select
    cast(null as varchar) as source_id,
    cast(null as varchar) as feed,
    cast(null as varchar) as record_key,
    cast(null as varchar) as file_id,
    cast(null as bigint) as record_number,
    cast(null as bigint) as line_number,
    cast(null as varchar) as processed_column,
    cast(null as varchar) as source_value
where false
[% endif %]
[% if not is_own %]

{% if reads_oneroster() %}
[% endif %]
[% for feed in always if feed.references %]
[% if not is_own or not loop.first %]

union all

[% endif %]
[[ unresolved(feed) -]]
[% endfor %]
[% if not is_own %]

{% endif %}
[% endif %]
[% for family, of_family in further.items() %]

{% if is_used('[[ family ]]') %}
[% for feed in of_family if feed.references %]
union all

[[ unresolved(feed) -]]
[% endfor %]
{% endif %}
[% endfor %]
[% if not is_own %]

{% if own_feeds() %}
union all

select * from {{ ref('int_compared_own_references') }}
{% endif %}
[% endif %]

[[ "One row per active row of a mart and column in which it refers to a record that has not come." | header ]]
[% macro unresolved(feed) %]
select
    processed.source_id,
    '[[ feed.feed ]]' as feed,
    processed.[[ feed.key.name ]] as record_key,
    processed.file_id,
    processed.record_number,
    processed.line_number,
    unresolved.processed_column,
    case unresolved.processed_column
        [% for column in feed.references %]
        when '[[ column.name ]]' then [[ column.processed ]]
        [% endfor %]
    end as source_value
from {{ ref('[[ feed.mart ]]') }} as processed
cross join unnest(processed.unresolved) as unresolved (processed_column)
where processed.is_active
[% endmacro %]
[% for feed in feeds if feed.family == always_used and feed.references %]
[[ unresolved(feed) -]]
[% if not loop.last %]

union all

[% endif %]
[% endfor %]
[% for family, of_family in further.items() %]

{% if is_used('[[ family ]]') %}
[% for feed in of_family if feed.references %]
union all

[[ unresolved(feed) -]]
[% endfor %]
{% endif %}
[% endfor %]

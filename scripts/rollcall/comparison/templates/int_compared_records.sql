[[ "One row per doubt, per record that speaks of one, and per key of one that is present, of all feeds." | header ]]
with compared as (
    [% for feed in always %]
    select * from {{ ref('[[ feed.model ]]') }}
    [% if not loop.last %]

    union all

    [% endif %]
    [% endfor %]
    [% for family, of_family in further.items() %]

    {% if is_used('[[ family ]]') %}
    [% for feed in of_family %]
    union all

    select * from {{ ref('[[ feed.model ]]') }}
    [% endfor %]
    {% endif %}
    [% endfor %]
    {% for feed in own_feeds() %}
    union all

    select * from {{ ref('int_compared__' ~ feed.replace('/', '__')) }}
    {% endfor %}
)

select
    kind,
    feed,
    source_id,
    record_key,
    file_id,
    record_number,
    line_number,
    is_malformed,
    processed_file_id,
    processed_record_number,
    is_active,
    row_count,
    is_deletion,
    modified_at,
    compared_values
from compared

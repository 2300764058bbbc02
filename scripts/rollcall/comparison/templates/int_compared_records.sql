[[ "One row per doubt, per record that speaks of one, and per key of one that is present, of all feeds." | header ]]
with compared as (
    select cast(null as boolean) as is_in_scope
    where false
    [% if not is_own %]
    {% if reads_oneroster() %}
    [% endif %]
    [% for feed in always %]

    union all by name

    select * from {{ ref('[[ feed.model ]]') }}
    [% endfor %]
    [% if not is_own %]
    {% endif %}
    [% endif %]
    [% for family, of_family in further.items() %]

    {% if is_used('[[ family ]]') %}
    [% for feed in of_family %]
    union all by name

    select * from {{ ref('[[ feed.model ]]') }}
    [% endfor %]
    {% endif %}
    [% endfor %]
    {% for feed in own_feeds() %}
    union all by name

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
    is_in_scope,
    compared_values
from compared

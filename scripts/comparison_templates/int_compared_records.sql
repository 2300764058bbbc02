[[ "One row per record in doubt, per active row that no record names, and per key that stands twice." | header ]]
with compared as (
    [% for feed in feeds if feed.family == always_used %]
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
)

select
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
    compared_values,
    has_origin,
    is_origin_deletion,
    origin_modified_at,
    origin_values,
    is_present,
    staged_count
from compared

select
    source_id,
    feed,
    layout_version as layout,
    column_name,
    status,
    meaning,
    done,
    needed_by,
    shapes,
    personal_data,
    staged_as,
    reason,
    code,
    position
from mapping_columns
order by source_id, feed, layout, position

select
    feed,
    layout_version as layout,
    position,
    column_name,
    meaning,
    data_type as type,
    is_required as required,
    personal_data,
    staged_as,
    allowed_values,
    referenced_feed
from good.audit.audit_field_mapping
order by feed, layout, position

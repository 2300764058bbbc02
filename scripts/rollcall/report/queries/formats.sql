select
    source_id as source,
    feed,
    replace(change, '_', ' ') as change,
    code,
    differences as what_changed,
    from_layout_version as from_layout,
    to_layout_version as to_layout,
    delivery_name as delivery,
    file_name as file,
    exported_at,
    file_id
from good.audit.audit_format_change
order by exported_at desc, source asc, feed asc, file_id asc

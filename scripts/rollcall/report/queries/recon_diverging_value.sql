with open_columns as (
    select
        feed,
        column_name,
        bool_and(personal_data = 'none') as is_open
    from good.audit.audit_field_mapping
    group by all
),

shown as (
    select
        differences.*,
        $names or coalesce(open_columns.is_open, false) as is_shown
    from good.reconciliation.recon_diverging_value as differences
    left join open_columns using (feed, column_name)
)

select
    shown.source_id as source,
    shown.feed,
    shown.record_key as id,
    shown.column_name,
    case
        when shown.source_value is null or shown.is_shown then shown.source_value
        else '(personal, not shown)'
    end as in_the_export,
    case
        when shown.processed_value is null or shown.is_shown then shown.processed_value
        else '(personal, not shown)'
    end as in_the_warehouse,
    shown.is_explained as explained,
    coalesce(reasons.words, 'none: this is a fault of the warehouse') as reason,
    files.delivery_name as delivery,
    files.file_name as file,
    shown.record_number as record,
    shown.file_id
from shown
left join difference_reasons as reasons on shown.reason = reasons.code
left join landing.files on shown.file_id = files.file_id
order by explained, source, shown.feed, id, shown.column_name, record, shown.file_id, reason

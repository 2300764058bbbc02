select
    differences.source_id as source,
    differences.feed,
    differences.record_key as id,
    differences.is_explained as explained,
    coalesce(reasons.words, 'none: this is a fault of the warehouse') as reason,
    files.delivery_name as delivery,
    files.file_name as file,
    differences.record_number as record,
    differences.file_id
from good.reconciliation.recon_unexpected_record as differences
left join difference_reasons as reasons on differences.reason = reasons.code
left join landing.files on differences.file_id = files.file_id
order by explained, source, differences.feed, id, differences.column_name, record, differences.file_id, reason

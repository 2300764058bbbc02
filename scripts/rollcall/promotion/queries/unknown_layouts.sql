select count(*) as value
from $pilot.audit_ingestion_log
where
    landed_at >= $since
    and verdict = 'rejected'
    and (
        starts_with(code, 'COLUMN_')
        or code in (
            'HEADER_UNREADABLE', 'LAYOUT_AMBIGUOUS', 'LAYOUT_UNKNOWN', 'NOT_A_CSV', 'SHEET_UNREADABLE',
            'TOO_MANY_COLUMNS', 'TYPE_CHANGED', 'UNKNOWN_FILE', 'WORKBOOK_UNREADABLE', 'WRONG_DELIMITER',
            'WRONG_ENCODING'
        )
    )

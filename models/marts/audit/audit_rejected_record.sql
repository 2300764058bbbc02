-- One row per refused record and violation: malformed, rejected or a repeat, with the line where it starts.
with files as (
    select * from {{ ref('stg_landing__visible_files') }}
),

ledger_files as (
    select * from {{ source('landing', 'files') }}
),

malformed_records as (
    select * from {{ source('landing', 'malformed_records') }}
),

refused as (
    select * from {{ ref('int_records_refused') }}
),

error_codes as (
    select * from {{ ref('error_codes') }}
),

refused_violations as (
    select
        file_id,
        record_number,
        line_number,
        record_key,
        verdict,
        unnest(violations) as violation
    from refused
),

violations as (
    select
        refused_violations.file_id,
        refused_violations.record_number,
        refused_violations.line_number,
        refused_violations.record_key,
        refused_violations.verdict,
        refused_violations.violation.column_name,
        refused_violations.violation.code
    from refused_violations

    union all

    select
        file_id,
        record_number,
        line_number,
        record_key,
        'malformed' as verdict,
        null as column_name,
        code
    from malformed_records
),

final as (
    select
        violations.file_id,
        files.source_id,
        files.feed,
        ledger_files.delivery_name,
        ledger_files.file_name,
        violations.record_number,
        violations.line_number,
        violations.record_key,
        violations.verdict,
        violations.column_name,
        violations.code,
        error_codes.severity,
        error_codes.explanation as message,
        error_codes.advice,
        files.first_cycle_id as cycle_id
    from violations
    inner join files on violations.file_id = files.file_id
    inner join ledger_files on violations.file_id = ledger_files.file_id
    inner join error_codes on violations.code = error_codes.code
)

select * from final

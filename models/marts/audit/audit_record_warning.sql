-- One row per accepted record and warning: what should be mended at its source.
with files as (
    select * from {{ ref('stg_landing__visible_files') }}
),

ledger_files as (
    select * from {{ source('landing', 'files') }}
),

error_codes as (
    select * from {{ ref('error_codes') }}
),

warned as (
    select
        file_id,
        record_number,
        line_number,
        record_key,
        unnest(warnings) as warning
    from {{ ref('int_records_warned') }}
),

warnings as (
    select
        warned.file_id,
        warned.record_number,
        warned.line_number,
        warned.record_key,
        warned.warning.column_name,
        warned.warning.code
    from warned
),

final as (
    select
        warnings.file_id,
        files.source_id,
        files.feed,
        ledger_files.delivery_name,
        ledger_files.file_name,
        warnings.record_number,
        warnings.line_number,
        warnings.record_key,
        warnings.column_name,
        warnings.code,
        error_codes.severity,
        error_codes.explanation as message,
        error_codes.advice,
        files.first_cycle_id as cycle_id
    from warnings
    inner join files on warnings.file_id = files.file_id
    inner join ledger_files on warnings.file_id = ledger_files.file_id
    inner join error_codes on warnings.code = error_codes.code
)

select * from final

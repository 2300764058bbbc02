-- One row per file, verdict, column and code that records of the file violate: how often, and where first.
with violations as (
    select
        cycle_id,
        file_id,
        verdict,
        column_name,
        code,
        line_number,
        message
    from {{ ref('audit_rejected_record') }}
    union all
    select
        cycle_id,
        file_id,
        'accepted' as verdict,
        column_name,
        code,
        line_number,
        message
    from {{ ref('audit_record_warning') }}
),

counted as (
    select
        cycle_id,
        file_id,
        verdict,
        column_name,
        code,
        count(*) as record_count,
        min(line_number) as first_line_number,
        min_by(message, line_number) filter (where code in ('VALUE_NOT_ALLOWED', 'OLDER_DATE')) as message
    from violations
    group by cycle_id, file_id, verdict, column_name, code
),

final as (
    select
        * exclude (message),
        record_count || ' ' || verdict || case when record_count = 1 then ' record' else ' records' end
        || coalesce(' for column ''' || column_name || '''', '')
        || ', the first on line ' || first_line_number || '.' || coalesce(' ' || message, '') as detail
    from counted
)

select * from final

-- One row per accepted record that violates something which does not refuse it.
{{ config(unique_key='file_id') }}

with records as (
    select * from {{ ref('int_records_judged') }}
    {% if is_incremental() %}where is_new{% endif %}
),

refused as (
    select * from {{ ref('int_records_refused') }}
),

final as (
    select
        records.file_id,
        records.record_number,
        records.line_number,
        records.source_id,
        records.feed,
        records.record_key,
        records.violations as warnings
    from records
    left join refused using (file_id, record_number)
    where refused.file_id is null and len(records.violations) > 0
)

select * from final

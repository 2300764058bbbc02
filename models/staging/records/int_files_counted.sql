-- One row per visible file of a staged feed: its records as stored, by verdict.
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
        count(*) as stored_count,
        count(case when refused.verdict = 'rejected' then 1 end) as rejected_count,
        count(case when refused.verdict = 'duplicate' then 1 end) as duplicate_count,
        count(case when refused.file_id is null then 1 end) as accepted_count
    from records
    left join refused using (file_id, record_number)
    group by records.file_id
)

select * from final

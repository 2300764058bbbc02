-- One row per record that is refused: rejected for what it holds, or a repeat within its file.
{{ config(unique_key='file_id') }}

with records as (
    select * from {{ ref('int_records_judged') }}
    {% if is_incremental() %}where is_new{% endif %}
),

rejected as (
    select * from records
    where is_rejected
),

repeated_keys as (
    select
        file_id,
        record_key
    from records
    where not is_rejected
    group by file_id, record_key
    having count(*) > 1
),

repeats as (
    select
        records.*,
        row_number() over (
            partition by records.file_id, records.record_key order by records.record_number
        ) as occurrence,
        min(records.content_hash) over (partition by records.file_id, records.record_key)
        <> max(records.content_hash) over (partition by records.file_id, records.record_key)
            as is_conflict
    from records
    inner join repeated_keys using (file_id, record_key)
    where not records.is_rejected
),

final as (
    select
        file_id,
        record_number,
        line_number,
        source_id,
        feed,
        record_key,
        'rejected' as verdict,
        violations
    from rejected

    union all

    select
        file_id,
        record_number,
        line_number,
        source_id,
        feed,
        record_key,
        case when is_conflict then 'rejected' else 'duplicate' end as verdict,
        {{ repeat_violation('is_conflict', 'record_key') }} as violations
    from repeats
    where is_conflict or occurrence > 1
)

select * from final

-- One row per result and version of it that differs from the one before, with the record that said it first.
{{ config(materialized='incremental', unique_key='version_path', enabled=result_measures() | length > 0) }}

with files as (
    select
        file_id,
        source_id,
        feed,
        exported_at,
        min(exported_at) filter (where is_new) over (partition by source_id, feed) as changed_from
    from {{ ref('stg_landing__files') }}
    where is_staged
),

-- Of what is stored, the versions stand that are older than anything new.
read_files as (
    select * from files
    {%- if is_incremental() %}
    where exported_at >= changed_from
    {%- endif %}
),

records as (
    {{ measured_records() }}
),

accepted as (
    select
        read_files.source_id,
        read_files.feed,
        records.record_key,
        records.file_id,
        read_files.exported_at,
        min(records.record_number) as record_number,
        min_by(records.line_number, records.record_number) as line_number,
        min_by(records.result_hash, records.record_number) as result_hash,
        min_by(records.score, records.record_number) as score,
        concat_ws(':', read_files.source_id, read_files.feed, records.record_key) as version_path
    from records
    inner join read_files on records.file_id = read_files.file_id
    where not records.is_rejected
    group by all
    having min(records.content_hash) = max(records.content_hash)
),

versions as (
    select * from accepted
    {%- if is_incremental() %}
    union all by name
    select stored.*
    from {{ this }} as stored
    semi join accepted on stored.version_path = accepted.version_path
    inner join (select distinct source_id, feed, changed_from from files) as changed
        on
            stored.source_id = changed.source_id
            and stored.feed = changed.feed
            and stored.exported_at < changed.changed_from
    {%- endif %}
)

select *
from versions
qualify
    lag(result_hash) over (partition by version_path order by exported_at, file_id) is distinct from result_hash

-- One row per cycle, source and feed that brought dated events: how old they were when they were exported.
{{ config(materialized='incremental', unique_key=['cycle_id', 'source_id', 'feed']) }}

with files as (
    select * from {{ ref('stg_landing__visible_files') }}
    {% if is_incremental() %}where is_new{% endif %}
),

sources as (
    select * from {{ ref('sources') }}
),

refused as (
    select * from {{ ref('int_records_refused') }}
),

events as (
    select
        records.file_id,
        records.record_number,
        {{ end_of_day('records.score_date', 'sources.time_zone') }} as event_at
    from {{ ref('base_oneroster__results_1_1') }} as records
    inner join sources using (source_id)
    {% if is_incremental() %}where records.is_new{% endif %}
    union all
    select
        records.file_id,
        records.record_number,
        {{ end_of_day('records.score_date', 'sources.time_zone') }} as event_at
    from {{ ref('base_oneroster__results_1_2') }} as records
    inner join sources using (source_id)
    {% if is_incremental() %}where records.is_new{% endif %}
    union all
    select
        file_id,
        record_number,
        effective_at as event_at
    from {{ ref('base_overrides__mastery_overrides_1') }}
    {% if is_incremental() %}where is_new{% endif %}
),

lags as (
    select
        files.first_cycle_id as cycle_id,
        files.source_id,
        files.feed,
        greatest({{ hours_between('events.event_at', 'files.exported_at') }}, 0) as hours
    from events
    inner join files using (file_id)
    left join refused using (file_id, record_number)
    where refused.file_id is null
),

final as (
    select
        cycle_id,
        source_id,
        feed,
        count(*) as event_count,
        {{ percentile('hours', 0.5) }} as event_to_export_p50_hours,
        {{ percentile('hours', 0.95) }} as event_to_export_p95_hours,
        max(hours) as event_to_export_max_hours
    from lags
    group by cycle_id, source_id, feed
)

select * from final

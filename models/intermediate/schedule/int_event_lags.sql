-- One row per cycle, source and feed that brought dated events: how old they were when they were exported.
{{ config(materialized='incremental', unique_key=['cycle_id', 'source_id', 'feed']) }}

with files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged {% if is_incremental() %} and is_new {% endif %}
),

problems as (
    select
        file_id,
        unnest(problems, max_depth := 2) -- noqa: AL03
    from {{ ref('int_file_record_counts') }}
),

not_accepted as (
    select
        file_id,
        record_number
    from problems
    where verdict <> 'accepted'
),

events as (
    select
        file_id,
        record_number,
        event_at
    from {{ ref('base_oneroster__results') }}
    {% if is_incremental() %}where is_new{% endif %}
    {% if is_used('overrides') %}
    union all
    select
        file_id,
        record_number,
        effective_at as event_at
    from {{ ref('base_overrides__mastery_overrides') }}
    {% if is_incremental() %}where is_new{% endif %}
    {% endif %}
),

lags as (
    select
        files.first_cycle_id as cycle_id,
        files.source_id,
        files.feed,
        greatest({{ hours_between('events.event_at', 'files.exported_at') }}, 0) as hours
    from events
    inner join files using (file_id)
    left join not_accepted using (file_id, record_number)
    where not_accepted.file_id is null and events.event_at is not null
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

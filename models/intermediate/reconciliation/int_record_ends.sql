-- One row per source, feed, administration, school, step and reason: how many records get there and no farther.
{{ config(materialized='view') }}

with files as (
    select
        files.*,
        files.verdict = 'rejected' as is_rejected,
        counts.stored_count,
        counts.rejected_count,
        counts.duplicate_count,
        counts.accepted_count
    from {{ ref('stg_landing__files') }} as files
    inner join {{ ref('stg_landing__cycles') }} as cycles on cycles.is_current and files.job_id <= cycles.job_id
    left join {{ ref('int_file_record_counts') }} as counts on files.file_id = counts.file_id
    where files.record_count is not null and files.feed in ({{ evidence_feeds() }})
),

lost_in_files as (
    select
        source_id,
        feed,
        1 as step_number,
        unnest(['file_rejected', 'file_not_taken', 'structural', 'malformed', 'rejected', 'duplicate']) as reason,
        unnest([
            case when is_rejected then record_count end,
            case when not is_rejected and not is_visible then record_count end,
            case when is_visible then record_count - malformed_count - coalesce(stored_count, 0) end,
            case when is_visible then malformed_count end,
            rejected_count,
            duplicate_count
        ]) as record_count
    from files
),

accepted as (
    select
        source_id,
        feed,
        coalesce(sum(accepted_count) filter (where is_visible), 0) as record_count
    from files
    group by source_id, feed
),

newest as (
    {% for feed, mart in evidence_marts().items() -%}
    select
        source_id,
        '{{ feed }}' as feed,
        count(*) as record_count
    from {{ ref(mart) }}
    group by source_id
    {{- '\n    union all' if not loop.last }}
    {% endfor -%}
),

records as (
    select
        * exclude (evidence_id),
        count(*) as record_count
    from {{ ref('int_evidence_records') }}
    group by all
),

scored as (
    select
        source_id,
        feed,
        sum(record_count) as record_count
    from records
    group by source_id, feed
),

-- What a newer record of its key has replaced, and what says nothing that could be evidence.
lost_in_staging as (
    select
        accepted.source_id,
        accepted.feed,
        unnest([2, 3]) as step_number,
        unnest(['superseded', 'not_scored']) as reason,
        unnest([
            accepted.record_count - coalesce(newest.record_count, 0),
            coalesce(newest.record_count, 0) - coalesce(scored.record_count, 0)
        ]) as record_count
    from accepted
    left join newest on accepted.source_id = newest.source_id and accepted.feed = newest.feed
    left join scored on accepted.source_id = scored.source_id and accepted.feed = scored.feed
),

every_record as (
    select * from lost_in_files
    union all
    select * from lost_in_staging
    union all by name
    select records.* from records
    semi join accepted using (source_id, feed)
)

select * from every_record
where record_count <> 0

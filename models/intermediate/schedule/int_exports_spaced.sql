-- One row per source with due feeds: how many intervals its exports have, and how many are unusual.
with due_feeds as (
    select distinct
        source_id,
        feed
    from {{ ref('int_exports_met') }}
),

spaced as (
    select
        files.source_id,
        files.feed,
        {{ hours_between(
            'lag(files.exported_at) over (partition by files.source_id, files.feed order by files.exported_at)',
            'files.exported_at',
        ) }} as hours
    from {{ ref('stg_landing__visible_files') }} as files
    inner join due_feeds using (source_id, feed)
),

usual as (
    select
        source_id,
        feed,
        {{ percentile('hours', 0.5) }} as hours
    from spaced
    group by source_id, feed
),

final as (
    select
        spaced.source_id,
        count(spaced.hours) as interval_count,
        count(case when abs(spaced.hours - usual.hours) > usual.hours / 4 then 1 end) as irregular_count,
        max(spaced.hours) as longest_interval_hours
    from spaced
    inner join usual using (source_id, feed)
    group by spaced.source_id
)

select * from final

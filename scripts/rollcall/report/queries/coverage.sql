with counted as (
    select
        source_id,
        feed,
        step_number,
        step,
        reason,
        sum(record_count) as record_count,
        sum(lost_count) as lost_count
    from good.reconciliation.recon_coverage
    group by source_id, feed, step_number, step, reason
),

by_step as (
    select
        counted.source_id,
        counted.feed,
        counted.step_number,
        counted.step,
        sum(counted.record_count) as record_count,
        sum(counted.lost_count) as lost_count,
        string_agg(
            counted.lost_count || ' ' || coalesce(reasons.words, replace(counted.reason, '_', ' ')), '; '
            order by counted.lost_count desc, counted.reason asc
        ) filter (where counted.reason is not null) as why
    from counted
    left join coverage_words as reasons on counted.reason = reasons.code
    group by counted.source_id, counted.feed, counted.step_number, counted.step
)

select
    by_step.source_id as source,
    by_step.feed,
    by_step.step_number as step,
    steps.words as records_that_are,
    by_step.record_count as records,
    100 * by_step.record_count / nullif(
        first_value(by_step.record_count) over (
            partition by by_step.source_id, by_step.feed order by by_step.step_number
        ), 0
    ) as percent_of_all,
    by_step.lost_count as lost_here,
    by_step.why
from by_step
inner join coverage_words as steps on by_step.step = steps.code
order by source, by_step.feed, by_step.step_number

-- Finds: steps of recon_coverage whose records and losses are not those before, or that other tables count otherwise.
-- Matters: a record that is lost without a reason is lost silently, and the report would show a sum that is none.
-- Do: compare the counts of the step with the table that the sentence names.
with steps as (
    select
        source_id,
        feed,
        data_year,
        term,
        school_name,
        assessment,
        subject,
        step_number,
        sum(record_count) as record_count,
        sum(lost_count) as lost_count,
        min(lost_count) as fewest_lost
    from {{ ref('recon_coverage') }}
    group by all
),

following as (
    select
        *,
        lag(record_count) over (
            partition by source_id, feed, data_year, term, school_name, assessment, subject order by step_number
        ) as count_before
    from steps
),

totals as (
    select
        source_id,
        feed,
        step,
        sum(record_count) as record_count
    from {{ ref('recon_coverage') }}
    group by source_id, feed, step
),

counted as (
    select
        source_id,
        feed,
        'accepted' as step,
        sum(accepted_count) as record_count
    from {{ ref('recon_file_balance') }}
    group by source_id, feed

    union all

    select
        source_id,
        feed,
        'evidence' as step,
        count(distinct evidence_id) as record_count
    from {{ ref('fct_evidence') }}
    where disposition = 'usable'
    group by source_id, feed
)

select
    source_id,
    feed,
    'step ' || step_number || ': its records and losses are not the records before' as finding,
    record_count,
    lost_count,
    count_before
from following
where count_before is distinct from record_count + lost_count and step_number > 1 or fewest_lost < 0

union all

select
    totals.source_id,
    totals.feed,
    'step ' || totals.step || ': recon_file_balance or fct_evidence count otherwise' as finding,
    totals.record_count,
    0 as lost_count,
    counted.record_count as count_before
from totals
left join counted on totals.source_id = counted.source_id and totals.feed = counted.feed and totals.step = counted.step
where totals.step in ('accepted', 'evidence') and totals.record_count <> coalesce(counted.record_count, 0)

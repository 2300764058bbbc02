-- One row per source, feed, administration, school, step and reason: records that get to a step, or are lost before it.
with steps as (
    select unnest(range(1, 9)) as step_number
),

ends as (
    select * from {{ ref('int_record_ends') }}
),

reaching as (
    select
        ends.* exclude (step_number, reason, record_count), -- noqa: RF02
        steps.step_number,
        cast(null as varchar) as reason,
        coalesce(sum(ends.record_count) filter (where ends.step_number >= steps.step_number), 0) as record_count,
        0 as lost_count
    from ends
    cross join steps
    group by all
),

lost as (
    select
        * exclude (step_number, record_count),
        step_number + 1 as step_number,
        0 as record_count,
        sum(record_count) as lost_count
    from ends
    where reason is not null
    group by all
),

every_step as (
    select * from reaching
    union all by name
    select * from lost
)

select
    {{ text_hash([
        'source_id', 'feed', 'data_year', 'term', 'school_name', 'assessment', 'subject', 'step_number', 'reason',
    ]) }} as coverage_key,
    source_id,
    feed,
    data_year,
    term,
    school_name,
    assessment,
    subject,
    step_number,
    list_extract(
        ['in_file', 'accepted', 'newest', 'valid', 'linked', 'aligned', 'evidence', 'enrolled'], step_number
    ) as step,
    reason,
    cast(record_count as bigint) as record_count,
    cast(lost_count as bigint) as lost_count
from every_step

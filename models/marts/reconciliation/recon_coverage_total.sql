-- One row per total that a source states: what Rollcall counts of the same, and the difference.
{{ config(materialized='view') }}

with totals as (
    select * from {{ ref('expected_totals') }}
),

coverage as (
    select * from {{ ref('recon_coverage') }}
),

counted as (
    select
        totals.*,
        coalesce(sum(coverage.record_count), 0) as record_count
    from totals
    left join coverage
        on
            totals.source_id = coverage.source_id
            and totals.feed = coverage.feed
            and totals.step = coverage.step
            and coalesce(totals.data_year = coverage.data_year, totals.data_year is null)
            and coalesce(totals.term = coverage.term, totals.term is null)
            and coalesce(totals.school_name = coverage.school_name, totals.school_name is null)
            and coalesce(totals.assessment = coverage.assessment, totals.assessment is null)
            and coalesce(totals.subject = coverage.subject, totals.subject is null)
    group by all
),

final as (
    select
        source_id,
        feed,
        data_year,
        term,
        school_name,
        assessment,
        subject,
        step,
        cast(expected_count as bigint) as expected_count,
        cast(record_count as bigint) as record_count,
        cast(record_count - expected_count as bigint) as difference_count,
        taken_from
    from counted
)

select * from final

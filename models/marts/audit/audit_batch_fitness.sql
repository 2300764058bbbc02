-- One row per live source: whether nightly batch serves it, and the evidence for that.
with measures as (
    select * from {{ ref('int_batch_measures') }}
),

changes as (
    select
        source_id,
        count(*) as format_change_count
    from {{ ref('audit_format_change') }}
    where change <> 'restored'
    group by source_id
),

files as (
    select
        source_id,
        sum(record_count - structural_count) as record_count,
        sum(malformed_count + rejected_count) as rejected_count,
        count(case when code = 'DELIVERY_CONFLICT' then 1 end)
        + count(distinct case when code = 'MODE_CONFLICT' then feed end) as conflict_count
    from {{ ref('audit_ingestion_log') }}
    group by source_id
),

conflicts as (
    select
        source_id,
        count(*) as conflicting_record_count
    from {{ ref('audit_rejected_record') }}
    where code = 'DUPLICATE_KEY_CONFLICT'
    group by source_id
),

measured as (
    select
        measures.*,
        coalesce(changes.format_change_count, 0) as format_change_count,
        coalesce(files.conflict_count, 0) + coalesce(conflicts.conflicting_record_count, 0) as contested_count,
        round(100.0 * files.rejected_count / nullif(files.record_count, 0), 1) as rejected_percent
    from measures
    left join changes using (source_id)
    left join files using (source_id)
    left join conflicts using (source_id)
),

valued as (
    select
        measured.source_id,
        limits.*,
        cast(
            case limits.measure
                when 'repeated_percent' then measured.repeated_percent
                when 'missing_percent' then measured.missing_percent
                when 'late_percent' then measured.late_percent
                when 'irregular_percent' then measured.irregular_percent
                when 'format_change_count' then measured.format_change_count
                when 'contested_count' then measured.contested_count
                when 'rejected_percent' then measured.rejected_percent
            end as decimal(18, 1)
        ) as measured_value
    from measured
    cross join {{ ref('fitness_limits') }} as limits
),

judged as (
    select
        *,
        case when measured_value > unfit_above then 2 when measured_value > care_above then 1 else 0 end as severity
    from valued
    where measured_value is not null
),

shown as (
    select * exclude (missing_percent, late_percent) from measured
),

verdicts as (
    select
        source_id,
        max(severity) as severity,
        string_agg(
            case severity when 2 then 'Unfit: ' when 1 then 'Care: ' else 'Fit: ' end
            || case
                when starts_with(sentence, '%') then cast(measured_value as varchar)
                else cast(measured_value as bigint) || ' '
            end
            || sentence,
            ' ' order by severity desc, position asc
        ) as evidence
    from judged
    group by source_id
)

select
    measured.*,
    case verdicts.severity when 2 then 'unfit' when 1 then 'fit with care' else 'fit' end as verdict,
    verdicts.evidence
from shown as measured
inner join verdicts using (source_id)

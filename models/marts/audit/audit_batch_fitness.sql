-- One row per live source: whether nightly batch serves it, and the evidence for that.
with measured as (
    select * from {{ ref('int_batch_measured') }}
),

limits as (
    select * from {{ ref('fitness_limits') }}
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
                when 'refused_percent' then measured.refused_percent
            end as decimal(18, 1)
        ) as measured_value
    from measured
    cross join limits
),

judged as (
    select
        *,
        case
            when measured_value > unfit_above then 2
            when measured_value > care_above then 1
            when measured_value is not null then 0
        end as severity
    from valued
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
    where severity is not null
    group by source_id
),

final as (
    select
        source_id,
        case verdicts.severity when 2 then 'unfit' when 1 then 'fit with care' else 'fit' end as verdict,
        verdicts.evidence,
        measured.due_count,
        measured.on_time_count,
        measured.late_count,
        measured.missing_count,
        measured.longest_interval_hours,
        measured.repeated_percent,
        measured.irregular_percent,
        measured.format_change_count,
        measured.contested_count,
        measured.refused_percent
    from measured
    inner join verdicts using (source_id)
)

select * from final

-- One row per source and disposition of evidence: how much of it is usable, and why the rest is not.
with evidence as (
    select * from {{ ref('fct_evidence') }}
),

accepted as (
    select
        files.source_id,
        sum(counts.accepted_count) as accepted_count
    from {{ ref('stg_landing__files') }} as files
    inner join {{ ref('int_file_record_counts') }} as counts using (file_id)
    where files.feed = 'oneroster/results' and files.is_visible
    group by files.source_id
),

newest as (
    select
        source_id,
        count(*) as newest_count
    from {{ ref('fct_result') }}
    group by source_id
),

dispositions as (
    select
        source_id,
        disposition,
        count(*) as evidence_count
    from evidence
    group by source_id, disposition

    union all

    select
        accepted.source_id,
        'superseded' as disposition,
        accepted.accepted_count - newest.newest_count as evidence_count
    from accepted
    inner join newest using (source_id)

    union all

    select
        'all sources' as source_id,
        'too_old' as disposition,
        sum(expired_count) as evidence_count
    from {{ ref('int_objective_evidence') }}
    having sum(expired_count) is not null
),

final as (
    select
        source_id,
        disposition,
        cast(evidence_count as bigint) as evidence_count
    from dispositions
)

select * from final

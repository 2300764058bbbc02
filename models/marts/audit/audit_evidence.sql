-- One row per source and fate of evidence: how much of it counts, and why the rest does not.
with evidence as (
    select * from {{ ref('int_evidence') }}
),

gathered as (
    select * from {{ ref('int_evidence_gathered') }}
),

results as (
    select * from {{ ref('stg_oneroster__results') }}
),

files as (
    select * from {{ ref('stg_landing__visible_files') }}
),

counted_files as (
    select * from {{ ref('int_files_counted') }}
),

accepted as (
    select
        files.source_id,
        sum(counted_files.accepted_count) as accepted_count
    from files
    inner join counted_files using (file_id)
    where files.feed = 'oneroster/results'
    group by files.source_id
),

newest as (
    select
        source_id,
        count(*) as newest_count
    from results
    group by source_id
),

fates as (
    select
        source_id,
        coalesce(ignored_reason, 'usable') as fate,
        count(*) as evidence_count
    from evidence
    group by source_id, ignored_reason

    union all

    select
        accepted.source_id,
        'superseded' as fate,
        accepted.accepted_count - newest.newest_count as evidence_count
    from accepted
    inner join newest using (source_id)

    union all

    select
        'all sources' as source_id,
        'too_old' as fate,
        sum(expired_count) as evidence_count
    from gathered
    having sum(expired_count) is not null
),

final as (
    select
        source_id,
        fate,
        cast(evidence_count as bigint) as evidence_count
    from fates
)

select * from final

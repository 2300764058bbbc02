-- One row per record or key on which the newest exports and the marts differ, with the reason.
with claims as (
    select * from {{ ref('int_claims_weighed') }}
),

unmatched as (
    select * from {{ ref('int_records_unmatched') }}
),

newest_bulks as (
    select * from {{ ref('int_files_reconciled') }}
    where is_newest_bulk
),

named_before as (
    select * from {{ ref('int_keys_named_before') }}
),

newest_claims as (
    select *
    from claims
    where recency = 1
),

claimed as (
    select
        source_id,
        feed,
        record_key,
        file_id,
        record_number,
        line_number,
        processed_file_id,
        processed_record_number,
        case
            when not is_active and not is_deletion then 'missing'
            when is_active and is_deletion then 'unexpected'
            when is_active then 'diverging'
        end as kind,
        processed_file_id is not null as is_known,
        case
            when is_active and not is_processed_as_its_origin then 'unexplained'
            when is_refused then 'rejected'
            when standing <> 'visible' then standing
            when is_origin and is_deletion and removals <> 'applied' then removals
            when is_origin then 'unexplained'
            when is_origin_newer and is_active then 'superseded'
            when is_origin_newer and is_origin_deletion then 'deleted'
            else 'unexplained'
        end as reason,
        differences
    from newest_claims
    where is_origin or not coalesce(is_processed_as_its_origin and origin_exported_at >= exported_at, false)
),

unclaimed as (
    select
        unmatched.source_id,
        unmatched.feed,
        unmatched.record_key,
        newest_bulks.file_id,
        cast(null as bigint) as record_number,
        cast(null as bigint) as line_number,
        unmatched.processed_file_id,
        unmatched.processed_record_number,
        'unexpected' as kind,
        true as is_known,
        case
            when named_before.record_key is null then 'unexplained'
            when newest_bulks.standing <> 'visible' then newest_bulks.standing
            when newest_bulks.removals <> 'applied' then newest_bulks.removals
            else 'unexplained'
        end as reason,
        unmatched.differences
    from unmatched
    left join newest_bulks using (source_id, feed)
    left join named_before using (source_id, feed, record_key)
    where unmatched.file_id is null
)

select * from claimed
where kind is not null
union all
select * from unclaimed

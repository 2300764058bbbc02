-- Finds: keys of accepted records of a visible file that staging does not hold.
-- Matters: an accepted record must be the newest version of its key or give way to a newer one; never vanish.
-- Do: look for a filter in the staging model of that feed that drops records.
with accepted_keys as (
    select distinct
        records.source_id,
        records.feed,
        records.record_key
    from {{ ref('int_records_judged') }} as records
    left join {{ ref('int_records_refused') }} as refused
        on
            records.file_id = refused.file_id
            and records.record_number = refused.record_number
    where
        refused.file_id is null
        and records.is_new
)

select accepted_keys.*
from accepted_keys
left join {{ ref('int_newest_versions') }} as newest_versions
    on
        accepted_keys.source_id = newest_versions.source_id
        and accepted_keys.feed = newest_versions.feed
        and accepted_keys.record_key = newest_versions.record_key
where newest_versions.record_key is null

-- One row per source and feed that has a bulk in force: the newest visible bulk whose removals are not held.
with files as (
    select * from {{ ref('stg_landing__visible_files') }}
),

final as (
    select
        source_id,
        feed,
        max(exported_at) as exported_at
    from files
    where mode = 'bulk' and not are_removals_held
    group by source_id, feed
)

select * from final

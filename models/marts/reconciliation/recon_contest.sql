-- One row per student, field, and source whose value is not the one that stands, and since when that is so.
{{ config(enabled=has_assessments()) }}

with contests as (
    select * from {{ ref('int_contested_values') }}
),

history as (
    select * from {{ ref('snap_contest') }}
    where dbt_valid_to is null
),

cycles as (
    select
        as_of,
        max(as_of) over () as current_as_of,
        min(cycle_id) as cycle_id
    from {{ ref('stg_landing__cycles') }}
    group by as_of
),

final as (
    select
        contests.*,
        cycles.cycle_id as since_cycle_id,
        cycles.as_of as since_at,
        date_part('day', cycles.current_as_of - cycles.as_of) as age_days
    from contests
    inner join history
        on
            contests.student_key = history.student_key
            and contests.field_name = history.field_name
            and least(contests.winner_source_id, contests.loser_source_id) = history.source_id
            and greatest(contests.winner_source_id, contests.loser_source_id) = history.other_source_id
    inner join cycles on history.dbt_valid_from = cycles.as_of
)

select * from final

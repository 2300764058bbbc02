-- One row per student and objective: the state that stands, what it rests on, and as of when.
with mastery as (
    select * exclude (rule_fingerprint, override_action, override_key) from {{ ref('int_mastery_status') }}
),

current_intervals as (
    select
        student_key,
        objective_id,
        dbt_valid_from as since
    from {{ ref('snap_mastery') }}
    where dbt_valid_to is null
),

completeness as (
    select * from {{ ref('int_cycle_completeness') }}
),

-- A source that was demoted brings nothing more; what rests on what it brought may be out of date.
ended as (
    select source_id
    from {{ ref('stg_landing__stages') }}
    where current_stage = 'pilot'
    group by source_id
    having count(*) = count(to_cycle_id)
),

demoted as (
    select coalesce(array_agg(source_id order by source_id), []) as source_ids
    from ended
),

resting as (
    select
        evidence.student_key,
        evidence.objective_id,
        list_transform(
            list_filter(demoted.source_ids, lambda item: list_contains(evidence.source_ids, item)), -- noqa: RF02
            lambda item: item || ' (demoted)' -- noqa: RF02
        ) as demoted_sources
    from {{ ref('int_objective_evidence') }} as evidence
    cross join demoted
    where len(demoted.source_ids) > 0
),

final as (
    select
        mastery.*,
        case when students.user_key is null then ['student_id'] else [] end as unresolved,
        coalesce(students.is_active, false) as is_on_roster,
        current_intervals.since,
        completeness.is_provisional or coalesce(len(resting.demoted_sources) > 0, false) as is_provisional,
        list_concat(completeness.missing_feeds, coalesce(resting.demoted_sources, [])) as missing_feeds,
        completeness.evidence_until,
        completeness.as_of
    from mastery
    cross join completeness
    left join {{ with_live('dim_user') }} as students on mastery.student_key = students.user_key
    left join resting
        on mastery.student_key = resting.student_key and mastery.objective_id = resting.objective_id
    left join current_intervals
        on
            mastery.student_key = current_intervals.student_key
            and mastery.objective_id = current_intervals.objective_id
)

select * from final

-- One row per test of Star, and one per standard and skill area that it speaks of.
{{ config(materialized='ephemeral', enabled=is_used('star')) }}

with id_columns as (
    {{ id_columns() }}
),

tests as (
    select
        *,
        'star/overall' as feed,
        assessment_id as result_id,
        result_key as test_key,
        unified_score as score,
        state_benchmark as level,
        'state benchmark' as level_scale
    from {{ ref('fct_star_result') }}
),

standards as (
    select
        * exclude (result_key),
        'star/standards' as feed,
        result_key as test_key,
        standard_result_id as result_id,
        standard_result_key as result_key,
        standard_name as part,
        percent_mastery as percent,
        mastery_level as level,
        'standard mastery' as level_scale
    from {{ ref('fct_star_standard') }}
),

skill_areas as (
    select
        * exclude (result_key),
        'star/skill_area' as feed,
        result_key as test_key,
        skill_area_result_id as result_id,
        skill_area_result_key as result_key,
        skill_area_name as part,
        mastery_score as percent
    from {{ ref('fct_star_skill_area') }}
),

results as (
    select * from tests
    union all by name
    select * from standards
    union all by name
    select * from skill_areas
),

-- What a standard says stands and falls with its test.
identified as (
    select
        results.* exclude (school_name),
        coalesce(results.school_name, tests.school_name) as school_name,
        tests.validity as validity_of_test,
        coalesce(
            tests.deactivation_reason, results.deactivation_reason, tests.assessment_status, results.assessment_status
        ) as reason_of_test,
        {{ declared_ids({
            'StudentIdentifier': 'results.student_id',
            'StudentStateID': 'results.student_state_id',
            'StudentSourcedID': 'results.student_sourced_id',
            'StudentUserID': 'results.student_user_id',
            'StudentRenaissanceID': 'results.student_vendor_id',
        }) }} as student_ids
    from results
    left join id_columns on results.source_id = id_columns.source_id and results.feed = id_columns.feed
    left join tests on results.test_key = tests.test_key
)

select
    {{ assessment_columns('identified') }},
    identified.grade,
    identified.school_name,
    identified.family_name,
    identified.given_name,
    identified.result_id,
    identified.result_key || ':' || split_part(identified.feed, '/', 2) as result_key,
    'Star' as assessment,
    identified.subject,
    identified.screening_window as term,
    identified.part,
    identified.score,
    'Star Unified' as scale,
    identified.percent,
    identified.level,
    identified.level_scale,
    coalesce(identified.validity, identified.validity_of_test, 'valid') as validity,
    case
        when coalesce(identified.validity, identified.validity_of_test) = 'withdrawn' then identified.reason_of_test
    end as validity_reason,
    identified.result_hash,
    identified.flag_hash
from identified

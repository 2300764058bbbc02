-- One row per test of a state assessment, and one per numbered part of it: wide records made long.
{{ config(materialized='ephemeral', enabled=is_used('state')) }}

with id_columns as (
    {{ id_columns() }}
),

cmas as (
    select
        *,
        'state/co_cmas' as feed,
        assessment_id as result_id,
        'CMAS' as assessment,
        'performance level' as level_scale,
        unnest([
            {% for number in range(1, 6) %}
            {{ slot_of_test('Subclaim ' ~ number, percent='subclaim_' ~ number ~ '_percent') }},
            {% endfor %}
            {{ slot_of_test(none, 'scale_score', 'performance_level') }}
        ], max_depth := 2)
    from {{ ref('fct_cmas_result') }}
),

ilearn as (
    select
        *,
        'state/in_ilearn' as feed,
        'proficiency level' as level_scale,
        unnest([
            {% for number in range(1, 6) %}
            {{ slot_of_test('Category ' ~ number, level=ilearn_level(number), percent=ilearn_percent(number)) }},
            {% endfor %}
            {{ slot_of_test(none, 'score', 'level') }}
        ], max_depth := 2)
    from {{ ref('fct_ilearn_result') }}
),

results as (
    select * from cmas
    union all by name
    select * from ilearn
),

-- What a file does not say, the last administration says that was before its export.
dated as (
    select
        results.* replace (
            coalesce(results.data_year, administrations.data_year) as data_year,
            coalesce(results.event_at, administrations.event_at) as event_at,
            coalesce(
                results.event_precision, case when administrations.event_at is not null then 'date' end
            ) as event_precision
        ),
        {{ declared_ids({
            'StateStudentIdentifier': 'results.student_state_id',
            'LocalStudentIdentifier': 'results.student_id',
            'PearsonStudentIdentifier': 'results.student_vendor_id',
            'STN': 'results.student_state_id',
        }) }} as student_ids
    from results
    left join {{ ref('int_administrations') }} as administrations
        on
            results.source_id = administrations.source_id
            and results.assessment = administrations.assessment
            and results.exported_at >= administrations.first_exported_at
            and results.exported_at < administrations.next_exported_at
    left join id_columns on results.source_id = id_columns.source_id and results.feed = id_columns.feed
)

select
    {{ assessment_columns('dated') }},
    dated.grade,
    dated.school_name,
    dated.family_name,
    dated.given_name,
    dated.birth_date,
    dated.result_id,
    dated.result_key || coalesce(':' || dated.slot, '') as result_key,
    dated.assessment,
    dated.subject,
    coalesce(meanings.part, dated.slot) as part,
    dated.slot_score as score,
    dated.assessment as scale,
    dated.slot_percent as percent,
    dated.slot_level as level,
    dated.level_scale,
    dated.validity,
    dated.validity_reason,
    dated.is_on_roster,
    dated.result_hash,
    dated.flag_hash
from dated
left join {{ ref('slot_meanings') }} as meanings
    on
        dated.feed = meanings.feed
        and dated.assessment = meanings.assessment
        and dated.subject = meanings.subject
        and dated.slot = meanings.slot
        and dated.data_year between meanings.first_year and coalesce(meanings.last_year, 9999)
where dated.slot is null or dated.slot_percent is not null or dated.slot_level is not null

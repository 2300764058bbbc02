-- One row per test or lesson of i-Ready, and one per domain of a test: its placements and scores made long.
{{ config(materialized='ephemeral', enabled=is_used('iready')) }}

{% set tests = {
    'ela': ('Reading', [
        'phonological_awareness', 'phonics', 'high_frequency_words', 'vocabulary', 'comprehension',
        'literature', 'informational_text',
    ]),
    'math': ('Mathematics', ['number_and_operations', 'algebra', 'measurement_and_data', 'geometry']),
} %}

with id_columns as (
    {{ id_columns() }}
),

{% for name, (subject, domains) in tests.items() -%}
-- A student may take both tests in the same days, which alone make the key of each.
{{ name }} as (
    select
        * replace (result_key || ':{{ subject }}' as result_key),
        'iready/diagnostic_{{ name }}' as feed,
        '{{ subject }}' as subject,
        unnest([
            {% for domain in domains %}
            {{ part_of_test(
                name ~ ' ' ~ domain, "'" ~ domain ~ "'", domain ~ '_scale_score', domain ~ '_relative_placement'
            ) }},
            {% endfor %}
            {{ part_of_test(name, 'null', 'overall_scale_score', 'overall_relative_placement') }}
        ]) as item
    from {{ ref('fct_iready_diagnostic_' ~ name) }}
),

{% endfor -%}
lessons as (
    select
        * exclude (attempt_id, attempt_key),
        'iready/lessons' as feed,
        attempt_id as result_id,
        attempt_key as result_key,
        score_percent as percent,
        {{ part_of_test('lesson', 'lesson_id', 'null', 'passed_code') }} as item
    from {{ ref('fct_iready_lesson') }}
),

results as (
    select * from ela
    union all by name
    select * from math
    union all by name
    select * from lessons
),

identified as (
    select
        results.*,
        {{ declared_ids({
            'Student ID': 'results.student_id',
            'Student State ID': 'results.student_state_id',
        }) }} as student_ids
    from results
    left join id_columns using (source_id, feed)
)

select
    {{ assessment_columns('identified') }},
    identified.grade,
    identified.school_name,
    identified.family_name,
    identified.given_name,
    identified.result_id,
    identified.result_key || ':' || identified.item.place as result_key,
    case when identified.feed = 'iready/lessons' then 'i-Ready lesson' else 'i-Ready' end as assessment,
    identified.subject,
    identified.norming_window as term,
    identified.item.part,
    identified.item.score,
    'i-Ready' as scale,
    identified.percent,
    identified.item.level,
    case when identified.feed = 'iready/lessons' then 'passed' else 'relative placement' end as level_scale,
    'valid' as validity,
    identified.result_hash,
    identified.flag_hash
from identified
where coalesce(identified.item.score, identified.percent) is not null or identified.item.level is not null

-- One row per test of MAP Growth, and one per goal area of it: the levels and scores of NWEA made long.
{{ config(materialized='ephemeral', enabled=is_used('nwea')) }}

with id_columns as (
    {{ id_columns() }}
),

results as (
    select
        *,
        'nwea/assessment_results' as feed
    from {{ ref('fct_nwea_assessment_result') }}
),

parts as (
    select
        results.*,
        {{ declared_ids({
            'StudentID': 'results.student_id',
            'Student_StateID': 'results.student_state_id',
        }) }} as student_ids,
        unnest([
            {% for goal in range(1, 9) %}
            {{ part_of_test(
                'goal ' ~ goal, 'results.goal_' ~ goal ~ '_name', 'results.goal_' ~ goal ~ '_rit_score', 'results.goal_' ~ goal ~ '_adjective'
            ) }},
            {% endfor %}
            {{ part_of_test('test', 'null', 'results.rit_score', 'results.quintile') }}
        ]) as item
    from results
    left join id_columns using (source_id, feed)
)

select
    {{ assessment_columns('parts') }},
    parts.grade,
    parts.school_name,
    parts.result_id,
    parts.result_key || ':' || parts.item.place as result_key,
    parts.assessment,
    parts.subject,
    parts.term_name as term,
    parts.item.part,
    parts.item.score,
    'RIT' as scale,
    parts.item.level,
    'quintile' as level_scale,
    'valid' as validity,
    parts.result_hash,
    parts.flag_hash
from parts
where parts.item.score is not null or parts.item.level is not null

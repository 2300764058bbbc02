-- One row per record of a diagnostic_results_ela.csv file, whatever the version of its layout.
{{ config(enabled=is_used('iready')) }}

{% set domains = {
    'Phonological Awareness': 'phonological_awareness',
    'Phonics': 'phonics',
    'High-Frequency Words': 'high_frequency_words',
    'Vocabulary': 'vocabulary',
    'Comprehension: Overall': 'comprehension',
    'Reading Comprehension: Literature': 'literature',
    'Reading Comprehension: Informational Text': 'informational_text',
} %}
{% set levels = [
    'Mid or Above Grade Level', 'Early On Grade Level', '1 Grade Level Below', '2 Grade Levels Below',
    '3 or More Grade Levels Below', 'Not Assessed',
] %}
{% set words = ['Tested Out', 'Not Assessed', 'Max Score', 'Surpassed Level'] %}
{% set yes_no = ['Y', 'N'] %}
{% set rush_flags = ['Yellow Rush Flag', 'Red Rush Flag'] %}
{% set measured = ['Overall Scale Score'] %}
{% set checks = [] %}
{% for domain, name in domains.items() %}
{% do measured.append(domain ~ ' Scale Score') %}
{% do checks.append(readable(domain ~ ' Scale Score', 'integer', words=words)) %}
{% do checks.append(known(domain ~ ' Relative Placement', levels)) %}
{% endfor %}

with records as (
    {{ trimmed_records(source('raw_iready', 'diagnostic_ela')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ iready_result_id() }} as record_key,
        {{ iready_result_id() }} as result_id,
        {{ own_record_key(iready_result_id()) }} as result_key,
        {{ text('Student ID') }} as student_id,
        {{ text('Student State ID') }} as student_state_id,
        {{ text('Last Name') }} as family_name,
        {{ text('First Name') }} as given_name,
        {{ text('Student Grade') }} as grade,
        {{ text('School') }} as school_name,
        {{ year('Academic Year') }} as data_year,
        {{ us_date('Start Date') }} as start_date,
        {{ us_date('Completion Date') }} as completion_date,
        {{ local_instant('Completion Date') }} as event_at,
        {{ local_precision('Completion Date') }} as event_precision,
        {{ local_usable_at('Completion Date') }} as usable_at,
        {{ text('Norming Window') }} as norming_window,
        {{ text('Diagnostic used to establish Growth Measures (Y/N)') }} as baseline_code,
        {{ text('Most Recent Diagnostic (Y/N)') }} as most_recent_code,
        {{ integer('Duration (min)') }} as duration_minutes,
        {{ text('Rush Flag') }} as rush_flag,
        {{ integer('Overall Scale Score') }} as overall_scale_score,
        {{ text('Overall Placement') }} as overall_placement,
        {{ text('Overall Relative Placement') }} as overall_relative_placement,
        {{ integer('Percentile') }} as percentile,
        {{ text('Lexile Measure') }} as lexile_measure,
        {% for domain, name in domains.items() %}
        {{ integer(domain ~ ' Scale Score') }} as {{ name }}_scale_score,
        {{ text(domain ~ ' Placement') }} as {{ name }}_placement,
        {{ text(domain ~ ' Relative Placement') }} as {{ name }}_relative_placement,
        {% endfor %}
        {{ hash_of_columns(measured) }} as result_hash,
        {{ hash_of_columns(iready_flags()) }} as flag_hash,
        false as is_deleted,
        cast(null as timestamp) as modified_at,
        {{ violations(local_event_checks('Completion Date') + checks + [
            required('Student ID'),
            required('Start Date'),
            readable('Start Date', 'us_date'),
            plausible_event('Start Date', 'us_date'),
            required('Completion Date'),
            readable('Completion Date', 'us_date'),
            readable('Academic Year', 'year'),
            readable('Duration (min)', 'integer'),
            known('Rush Flag', rush_flags),
            readable('Overall Scale Score', 'integer'),
            known('Overall Relative Placement', levels),
            readable('Percentile', 'integer'),
            known('Diagnostic used to establish Growth Measures (Y/N)', yes_no),
            known('Most Recent Diagnostic (Y/N)', yes_no),
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    *,
    {{ is_rejected() }} as is_rejected,
    {{ content_hash() }} as content_hash
from typed

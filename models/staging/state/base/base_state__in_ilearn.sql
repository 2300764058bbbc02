-- One row per record of an ilearn_results.csv file, whatever the version of its layout.
{{ config(enabled=is_used('state')) }}

{% set levels = ['Below Proficiency', 'Approaching Proficiency', 'At Proficiency', 'Above Proficiency'] %}
{% set no_rank = ['N/A'] %}
{% set yes_no = ['Yes', 'No', 'N/A'] %}
{% set measured = ['Overall scale score', 'IREAD-3 Overall scale score', 'Overall proficiency level'] %}
{% set flags = ['ILEARN Checkpoints Percentile Rank', 'College and Career Readiness Indicator'] %}
{% set checks = [] %}
{% for part in range(1, 6) %}
{% do measured.append('ILEARN Reporting Category ' ~ part ~ ' Performance') %}
{% endfor %}
{% for part in range(1, 4) %}
{% do measured.append('ILEARN Checkpoints Reporting Category ' ~ part ~ ' Performance') %}
{% do measured.append('Reporting Category ' ~ part ~ ' Percent Correct') %}
{% do checks.append(readable('Reporting Category ' ~ part ~ ' Percent Correct', 'number')) %}
{% endfor %}

with records as (
    {{ trimmed_records(source('raw_state', 'in_ilearn')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ ilearn_result_id() }} as record_key,
        {{ ilearn_result_id() }} as result_id,
        {{ own_record_key(ilearn_result_id()) }} as result_key,
        {{ text('STN') }} as student_state_id,
        {{ text('Test name') }} as test_name,
        {{ text('Student Last Name') }} as family_name,
        {{ text('Student First Name') }} as given_name,
        {{ digit_date('Student DOB') }} as birth_date,
        {{ text('Enrolled Grade') }} as grade,
        {{ text('Enrolled School ID') }} as school_code,
        {{ text('Enrolled School') }} as school_name,
        {{ integer('Overall scale score') }} as overall_scale_score,
        {{ text('Overall proficiency level') }} as proficiency_level,
        {{ text('ILEARN Reported Lexile® Measure') }} as lexile_measure,
        {{ text('ILEARN Reported Quantile® Measure') }} as quantile_measure,
        {{ text('College and Career Readiness Indicator') }} as ready_code,
        {{ integer('ILEARN Checkpoints Percentile Rank') }} as percentile,
        {{ integer('IREAD-3 Overall scale score') }} as iread_scale_score,
        {{ text('IREAD-3 Passing Status') }} as iread_passing,
        {% for part in range(1, 6) %}
        {{ text('ILEARN Reporting Category ' ~ part ~ ' Performance') }} as category_{{ part }}_level,
        {% endfor %}
        {% for part in range(1, 5) %}
        {{ text('I AM Reporting Category ' ~ part ~ ' Performance') }} as alternate_{{ part }}_level,
        {% endfor %}
        {% for part in range(1, 4) %}
        {{ text('ILEARN Checkpoints Reporting Category ' ~ part ~ ' Performance') }} as check_{{ part }}_level,
        {{ text('IREAD-3 Reporting Category ' ~ part ~ ' Performance') }} as iread_{{ part }}_level,
        {{ number('Reporting Category ' ~ part ~ ' Percent Correct') }} as category_{{ part }}_percent,
        {% endfor %}
        {{ hash_of_columns(measured) }} as result_hash,
        {{ hash_of_columns(flags) }} as flag_hash,
        false as is_deleted,
        cast(null as timestamp) as modified_at,
        {{ violations(checks + [
            required('STN'),
            required('Test name'),
            readable('Student DOB', 'digit_date'),
            plausible('Student DOB', 'digit_date'),
            readable('Overall scale score', 'integer'),
            readable('IREAD-3 Overall scale score', 'integer'),
            readable('ILEARN Checkpoints Percentile Rank', 'integer', words=no_rank),
            known('Overall proficiency level', levels),
            known('College and Career Readiness Indicator', yes_no),
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    typed.*,
    typed.exported_at as usable_at,
    case
        when
            coalesce(typed.overall_scale_score, typed.iread_scale_score) is null and typed.proficiency_level is null
            then 'not_tested'
        else 'valid'
    end as validity,
    {{ is_rejected() }} as is_rejected,
    {{ content_hash() }} as content_hash
from typed

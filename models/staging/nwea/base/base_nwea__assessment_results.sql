-- One row per record of an AssessmentResults.csv file, whatever the version of its layout.
{{ config(enabled=is_used('nwea')) }}

{% set levels = ['Low', 'LoAvg', 'Avg', 'HiAvg', 'High', '*'] %}
{% set growth = ['Yes', 'No', 'Yes*', 'No*'] %}
{% set measured = ['TestRITScore', 'TestStandardError', 'PercentCorrect'] %}
{% set checks = [] %}
{% for goal in range(1, 9) %}
{% do measured.append('Goal' ~ goal ~ 'RitScore') %}
{% do checks.append(readable('Goal' ~ goal ~ 'RitScore', 'integer')) %}
{% do checks.append(known('Goal' ~ goal ~ 'Adjective', levels)) %}
{% endfor %}
{% for span in ['FallToFall', 'FallToWinter', 'FallToSpring', 'WinterToWinter', 'WinterToSpring', 'SpringToSpring'] %}
{% do checks.append(known(span ~ 'MetProjectedGrowth', growth)) %}
{% endfor %}

with records as (
    {{ trimmed_records(source('raw_nwea', 'assessment_results')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ nwea_result_id() }} as record_key,
        {{ nwea_result_id() }} as result_id,
        {{ own_record_key(nwea_result_id()) }} as result_key,
        {{ text('StudentID') }} as student_id,
        {{ text('Student_StateID') }} as student_state_id,
        {{ text('StudentLastName') }} as family_name,
        {{ text('StudentFirstName') }} as given_name,
        {{ us_date('StudentDateOfBirth') }} as birth_date,
        {{ text('Grade') }} as grade,
        {{ text('SchoolName') }} as school_name,
        {{ text('TermName') }} as term_name,
        {{ school_year('TermName') }} as data_year,
        {{ text('Discipline') }} as subject,
        {{ text('MeasurementScale') }} as course,
        {{ text('TestType') }} as test_type,
        {{ text('TestName') }} as test_name,
        {{ text('TestID') }} as test_id,
        {{ us_date('TestStartDate') }} as test_date,
        {{ time_of_day('TestStartTime') }} as test_time,
        {{ local_instant('TestStartDate', 'TestStartTime') }} as event_at,
        {{ local_precision('TestStartDate', 'TestStartTime') }} as event_precision,
        {{ local_usable_at('TestStartDate', 'TestStartTime') }} as usable_at,
        {{ integer('TestRITScore') }} as rit_score,
        {{ number('TestStandardError') }} as standard_error,
        {{ number('PercentCorrect') }} as percent_correct,
        {{ integer('TestPercentile') }} as percentile,
        {{ text('AchievementQuintile') }} as quintile,
        {{ text('NormsReferenceData') }} as norms_reference,
        {{ boolean('GrowthMeasureYN') }} as is_growth_measure,
        {{ text('RITtoReadingScore') }} as lexile_score,
        {{ text('QuantileScore') }} as quantile_score,
        {% for goal in range(1, 9) %}
        {{ text('Goal' ~ goal ~ 'Name') }} as goal_{{ goal }}_name,
        {{ integer('Goal' ~ goal ~ 'RitScore') }} as goal_{{ goal }}_rit_score,
        {{ text('Goal' ~ goal ~ 'Adjective') }} as goal_{{ goal }}_adjective,
        {% endfor %}
        {{ hash_of_columns(measured) }} as result_hash,
        {{ hash_of_columns(nwea_flags()) }} as flag_hash,
        false as is_deleted,
        cast(null as timestamp) as modified_at,
        {{ violations(local_event_checks('TestStartDate', 'TestStartTime') + checks + [
            required('TermName'),
            required('StudentID'),
            required('TestName'),
            required('TestStartDate'),
            readable('TestStartDate', 'us_date'),
            required('TestStartTime'),
            readable('TestStartTime', 'time'),
            readable('StudentDateOfBirth', 'us_date'),
            plausible('StudentDateOfBirth', 'us_date'),
            readable('TestRITScore', 'integer'),
            readable('TestStandardError', 'number'),
            readable('PercentCorrect', 'number'),
            readable('TestPercentile', 'integer'),
            known('AchievementQuintile', levels),
            readable('GrowthMeasureYN', 'boolean'),
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    typed.*,
    case
        when lower(typed.test_type) = 'survey' and starts_with(typed.test_name, 'Screening:')
            then 'MAP Growth screening'
        else 'MAP Growth'
    end as assessment,
    {{ is_rejected() }} as is_rejected,
    {{ content_hash() }} as content_hash
from typed

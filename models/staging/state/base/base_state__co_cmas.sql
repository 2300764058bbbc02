-- One row per record of a cmas_results.csv file, whatever the version of its layout.
{{ config(enabled=is_used('state')) }}

{% set yes_no = ['Y', 'N'] %}
{% set levels = ['1', '2', '3', '4', '5'] %}
{% set not_tested_reasons = [
    '00', '01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9',
] %}
{% set void_reasons = [
    '01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '1', '2', '3', '4', '5', '6', '7', '8', '9',
] %}
{% set suppression_codes = ['01', '03', '06', '1', '3', '6'] %}
{% set suppression_actions = ['02', '04', '05', '2', '4', '5'] %}
{% set checks = [] %}
{% for unit in range(1, 4) %}
{% do checks.extend(event_checks('Unit' ~ unit ~ 'TestEndDateTime')) %}
{% do checks.append(readable('Unit' ~ unit ~ 'TestEndDateTime', 'instant')) %}
{% endfor %}
{% for subclaim in range(1, 6) %}
{% do checks.append(readable('Subclaim' ~ subclaim ~ 'PctEarned', 'integer')) %}
{% endfor %}

with records as (
    {{ trimmed_records(source('raw_state', 'co_cmas')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ text('StudentTestUUID') }} as record_key,
        {{ text('StudentTestUUID') }} as assessment_id,
        {{ own_key('StudentTestUUID') }} as result_key,
        {{ text('StateStudentIdentifier') }} as student_state_id,
        {{ text('LocalStudentIdentifier') }} as student_id,
        {{ text('PearsonStudentIdentifier') }} as student_vendor_id,
        {{ text('LastOrSurname') }} as family_name,
        {{ text('FirstName') }} as given_name,
        {{ date('Birthdate') }} as birth_date,
        {{ text('GradeLevelWhenAssessed') }} as grade,
        {{ text('ResponsibleSchoolCode') }} as school_code,
        {{ text('ResponsibleSchoolName') }} as school_name,
        {{ year('AssessmentYear') }} as data_year,
        {{ text('Subject') }} as subject,
        {{ text('TestCode') }} as test_code,
        {{ text('TestAttemptednessFlag') }} as attempted_code,
        {{ text('NotTestedCode') }} as not_tested_code,
        {{ text('NotTestedReason') }} as not_tested_reason,
        {{ text('VoidScoreCode') }} as void_code,
        {{ text('VoidScoreReason') }} as void_reason,
        {{ text('CalculatedInvalidation') }} as invalidation,
        {{ text('ReportSuppressionCode') }} as suppression_code,
        {{ text('ReportSuppressionAction') }} as suppression_action,
        {% for unit in range(1, 4) %}
        {{ instant('Unit' ~ unit ~ 'TestEndDateTime') }} as unit_{{ unit }}_ended_at,
        {% endfor %}
        {{ integer('SS') }} as scale_score,
        {{ number('SSCSEM') }} as standard_error,
        {{ text('PerfLVL') }} as performance_level,
        {% for subclaim in range(1, 6) %}
        {{ integer('Subclaim' ~ subclaim ~ 'PctEarned') }} as subclaim_{{ subclaim }}_percent,
        {% endfor %}
        {{ hash_of_columns(cmas_measures()) }} as result_hash,
        {{ hash_of_columns(['PercentileRank', 'ReportSuppressionCode', 'ReportSuppressionAction']) }} as flag_hash,
        false as is_deleted,
        cast(null as timestamp) as modified_at,
        {{ violations(checks + [
            required('StudentTestUUID'),
            readable('Birthdate', 'date'),
            plausible('Birthdate'),
            readable('AssessmentYear', 'year'),
            readable('SS', 'integer'),
            readable('SSCSEM', 'number'),
            known('TestAttemptednessFlag', yes_no),
            known('NotTestedCode', yes_no),
            known('NotTestedReason', not_tested_reasons),
            known('VoidScoreCode', yes_no),
            known('VoidScoreReason', void_reasons),
            known('ReportSuppressionCode', suppression_codes),
            known('ReportSuppressionAction', suppression_actions),
            known('PerfLVL', levels),
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    typed.*,
    {{ cmas_ended_at() }} as event_at,
    case when {{ cmas_ended_at() }} is not null then 'instant' end as event_precision,
    greatest(typed.exported_at, {{ cmas_ended_at() }}) as usable_at,
    {{ cmas_validity() }} as validity,
    {{ is_rejected() }} as is_rejected,
    {{ content_hash() }} as content_hash
from typed

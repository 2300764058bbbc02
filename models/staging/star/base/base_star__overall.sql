-- One row per record of a SR_v2.csv file, whatever the version of its layout.
{{ config(enabled=is_used('star')) }}

{% set yes_no = ['Yes', 'No'] %}
{% set measured = ['ScaledScore', 'UnifiedScore', 'RaschScore', 'StandardErrorOfMeasurement'] %}

with records as (
    {{ trimmed_records(source('raw_star', 'overall')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ text('AssessmentID') }} as record_key,
        {{ text('AssessmentID') }} as assessment_id,
        {{ own_key('AssessmentID') }} as result_key,
        {{ text('StudentIdentifier') }} as student_id,
        {{ text('StudentStateID') }} as student_state_id,
        {{ text('StudentSourcedID') }} as student_sourced_id,
        {{ text('StudentUserID') }} as student_user_id,
        {{ text('StudentRenaissanceID') }} as student_vendor_id,
        {{ text('StudentLastName') }} as family_name,
        {{ text('StudentFirstName') }} as given_name,
        {{ text('CurrentGrade') }} as grade,
        {{ text('SchoolName') }} as school_name,
        {{ year('SchoolYear') }} as data_year,
        {{ instant('CompletedDate') }} as event_at,
        {{ precision('CompletedDate') }} as event_precision,
        {{ usable_at('CompletedDate') }} as usable_at,
        {{ text('AssessmentType') }} as assessment_type,
        {{ text('AssessmentStatus') }} as assessment_status,
        {{ text('DeactivationReason') }} as deactivation_reason,
        {{ integer('ScaledScore') }} as scaled_score,
        {{ integer('UnifiedScore') }} as unified_score,
        {{ number('StandardErrorOfMeasurement') }} as standard_error,
        {{ integer('PercentileRank') }} as percentile,
        {{ text('Lexile') }} as lexile_measure,
        {{ text('ScreeningPeriodWindowName') }} as screening_window,
        {{ text('RenaissanceBenchmarkCategoryName') }} as vendor_benchmark,
        {{ text('StateBenchmarkCategoryName') }} as state_benchmark,
        {{ text('StateBenchmarkProficient') }} as state_proficient_code,
        {{ text('DistrictBenchmarkCategoryName') }} as district_benchmark,
        {{ text('TakenAt') }} as taken_at,
        {{ hash_of_columns(measured) }} as result_hash,
        {{ hash_of_columns(star_flags()) }} as flag_hash,
        false as is_deleted,
        cast(null as timestamp) as modified_at,
        {{ violations(event_checks('CompletedDate') + [
            required('AssessmentID'),
            required('CompletedDate'),
            readable('CompletedDate', 'instant'),
            readable('SchoolYear', 'year'),
            readable('ScaledScore', 'integer'),
            readable('UnifiedScore', 'integer'),
            readable('StandardErrorOfMeasurement', 'number'),
            readable('PercentileRank', 'integer'),
            known('StateBenchmarkProficient', yes_no),
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    typed.*,
    -- The subject stands in the name of the file alone, which no column of a record holds.
    cast(null as varchar) as subject,
    case
        when lower(typed.assessment_status) <> 'active' or typed.deactivation_reason is not null then 'withdrawn'
        else 'valid'
    end as validity,
    {{ is_rejected() }} as is_rejected,
    {{ content_hash() }} as content_hash
from typed

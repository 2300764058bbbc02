-- One row per record of a SR_Dashboard_Standards_v2.csv file, whatever the version of its layout.
{{ config(enabled=is_used('star')) }}

{% set levels = ['Beginning', 'Developing', 'Secure'] %}

with records as (
    {{ trimmed_records(source('raw_star', 'standards')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ star_standard_id() }} as record_key,
        {{ star_standard_id() }} as standard_result_id,
        {{ own_record_key(star_standard_id()) }} as standard_result_key,
        {{ text('AssessmentID') }} as assessment_id,
        {{ own_key('AssessmentID') }} as result_key,
        {{ text('StudentIdentifier') }} as student_id,
        {{ text('StudentStateID') }} as student_state_id,
        {{ text('StudentSourcedID') }} as student_sourced_id,
        {{ text('StudentUserID') }} as student_user_id,
        {{ text('StudentRenaissanceID') }} as student_vendor_id,
        {{ year('SchoolYear') }} as data_year,
        {{ instant('CompletedDate') }} as event_at,
        {{ precision('CompletedDate') }} as event_precision,
        {{ usable_at('CompletedDate') }} as usable_at,
        {{ text('DomainGroup') }} as domain_group,
        {{ text('DomainName') }} as domain_name,
        {{ integer('DomainPercentMastery') }} as domain_percent,
        {{ text('StandardName') }} as standard_name,
        {{ text('StandardDescription') }} as standard_description,
        {{ integer('StandardPercentMastery') }} as percent_mastery,
        {{ text('StandardConfidenceLevel') }} as confidence,
        {{ text('StandardMasteryLevel') }} as mastery_level,
        false as is_deleted,
        cast(null as timestamp) as modified_at,
        {{ violations(event_checks('CompletedDate') + [
            required('AssessmentID'),
            required('StandardName'),
            required('CompletedDate'),
            readable('CompletedDate', 'instant'),
            readable('SchoolYear', 'year'),
            readable('DomainPercentMastery', 'integer'),
            readable('StandardPercentMastery', 'integer'),
            known('StandardMasteryLevel', levels),
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    *,
    {{ is_rejected() }} as is_rejected,
    {{ content_hash() }} as content_hash
from typed

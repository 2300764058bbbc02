-- One row per record of a SR_SkillArea_v1.csv file, whatever the version of its layout.
{{ config(enabled=is_used('star')) }}

with records as (
    {{ trimmed_records(source('raw_star', 'skill_area')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ star_skill_area_id() }} as record_key,
        {{ star_skill_area_id() }} as skill_area_result_id,
        {{ own_record_key(star_skill_area_id()) }} as skill_area_result_key,
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
        {{ text('FamilyName') }} as family,
        {{ text('DomainName') }} as domain_name,
        {{ integer('DomainScore') }} as domain_score,
        {{ text('SkillAreaName') }} as skill_area_name,
        {{ integer('SkillAreaMasteryScore') }} as mastery_score,
        false as is_deleted,
        cast(null as timestamp) as modified_at,
        {{ violations(event_checks('CompletedDate') + [
            required('AssessmentID'),
            required('SkillAreaName'),
            required('CompletedDate'),
            readable('CompletedDate', 'instant'),
            readable('SchoolYear', 'year'),
            readable('DomainScore', 'integer'),
            readable('SkillAreaMasteryScore', 'integer'),
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    *,
    {{ is_rejected() }} as is_rejected,
    {{ content_hash() }} as content_hash
from typed

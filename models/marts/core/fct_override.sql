-- One row per source and override: what a teacher decided on a student's mastery of an objective.
{{ config(enabled=is_used('overrides')) }}

with overrides as (
    {{ with_presence(
        ref('stg_overrides__mastery_overrides'), source('raw_overrides', 'mastery_overrides'),
        'overrides/mastery_overrides', 'override_id'
    ) }}
),

users as (
    select user_key from {{ with_live('stg_oneroster__users') }}
),

final as (
    select
        overrides.*,
        {{ columns_where({
            'student_id': 'students.user_key is null',
            'teacher_id': 'teachers.user_key is null',
        }) }} as unresolved
    from overrides
    left join users as students on overrides.student_key = students.user_key
    left join users as teachers on overrides.teacher_key = teachers.user_key
)

select * from final

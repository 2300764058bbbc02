-- One row per source and override: whether it counts, and what speaks against it.
{{ config(enabled=is_used('overrides')) }}

with overrides as (
    select * from {{ ref('fct_override') }}
),

current_overrides as (
    select override_key from {{ ref('int_current_overrides') }}
),

enrollments as (
    select * from {{ ref('fct_enrollment') }}
),

-- Whoever taught the student once could decide then; a teacher who is replaced leaves no doubt behind.
taught as (
    select distinct
        teachers.user_key as teacher_key,
        students.student_key
    from enrollments as teachers
    inner join enrollments as students on teachers.class_key = students.class_key
    where teachers.role = 'teacher' and students.student_key is not null
),

known_objectives as (
    select objective_id from {{ ref('fct_evidence') }}
    union distinct
    select objective_id from {{ ref('int_current_path_steps') }}
),

final as (
    select
        overrides.source_id,
        overrides.override_id,
        overrides.override_key,
        overrides.roster_source_id,
        overrides.student_id,
        overrides.student_key,
        overrides.objective_id,
        overrides.action,
        overrides.state,
        overrides.teacher_id,
        overrides.teacher_key,
        overrides.reason,
        overrides.effective_at,
        overrides.is_active,
        current_overrides.override_key is not null as is_current,
        {{ columns_where({
            'unknown_student': "list_contains(overrides.unresolved, 'student_id')",
            'unknown_teacher': "list_contains(overrides.unresolved, 'teacher_id')",
            'does_not_teach_the_student': 'len(overrides.unresolved) = 0 and taught.teacher_key is null',
            'unknown_objective': 'known_objectives.objective_id is null',
        }) }} as findings,
        overrides.unresolved,
        overrides.modified_at,
        overrides.exported_at,
        overrides.visible_at,
        overrides.file_id,
        overrides.record_number,
        overrides.line_number
    from overrides
    left join current_overrides on overrides.override_key = current_overrides.override_key
    left join taught
        on overrides.teacher_key = taught.teacher_key and overrides.student_key = taught.student_key
    left join known_objectives on overrides.objective_id = known_objectives.objective_id
)

select * from final

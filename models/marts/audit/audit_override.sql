-- One row per source and override: whether it is in force, and what speaks against it.
with overrides as (
    select * from {{ ref('stg_overrides__mastery_overrides') }}
),

in_force as (
    select * from {{ ref('int_overrides_in_force') }}
),

removed as (
    select * from {{ ref('int_records_removed') }}
    where feed = 'overrides/mastery_overrides'
),

users as (
    select * from {{ ref('dim_user') }}
),

enrollments as (
    select * from {{ ref('fct_enrollment') }}
    where is_active
),

taught as (
    select distinct
        teachers.source_id,
        teachers.user_id as teacher_id,
        students.student_id
    from enrollments as teachers
    inner join enrollments as students
        on teachers.source_id = students.source_id and teachers.class_id = students.class_id
    where teachers.role = 'teacher' and students.student_id is not null
),

known_objectives as (
    select distinct objective_id from {{ ref('int_evidence') }}
    union distinct
    select distinct objective_id from {{ ref('int_path_steps_in_force') }}
),

final as (
    select
        overrides.source_id,
        overrides.override_id,
        overrides.roster_source_id,
        overrides.student_id,
        overrides.objective_id,
        overrides.action,
        overrides.state,
        overrides.teacher_id,
        overrides.reason,
        overrides.effective_at,
        removed.record_key is null as is_active,
        in_force.override_id is not null as is_in_force,
        {{ columns_where({
            'unknown_student': 'students.user_id is null',
            'unknown_teacher': 'teachers.user_id is null',
            'does_not_teach_the_student': 'students.user_id is not null and teachers.user_id is not null and taught.teacher_id is null',
            'unknown_objective': 'known_objectives.objective_id is null',
        }) }} as findings,
        overrides.modified_at,
        overrides.exported_at,
        overrides.visible_at,
        overrides.file_id,
        overrides.record_number,
        overrides.line_number
    from overrides
    left join in_force using (source_id, override_id)
    left join removed
        on overrides.source_id = removed.source_id and overrides.override_id = removed.record_key
    left join users as students
        on overrides.roster_source_id = students.source_id and overrides.student_id = students.user_id
    left join users as teachers
        on overrides.roster_source_id = teachers.source_id and overrides.teacher_id = teachers.user_id
    left join taught
        on
            overrides.roster_source_id = taught.source_id
            and overrides.teacher_id = taught.teacher_id
            and overrides.student_id = taught.student_id
    left join known_objectives on overrides.objective_id = known_objectives.objective_id
)

select * from final

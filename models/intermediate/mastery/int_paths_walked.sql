-- One row per student and path: the student is enrolled in a class of the path's course at the cut-off.
with enrollments as (
    select * from {{ ref('fct_enrollment') }}
),

classes as (
    select * from {{ ref('dim_class') }}
),

paths as (
    select distinct
        path_id,
        course_id
    from {{ ref('int_path_steps_in_force') }}
),

bounds as (
    select * from {{ ref('int_cycle_bounded') }}
),

final as (
    select
        enrollments.source_id as roster_source_id,
        enrollments.student_id,
        paths.path_id,
        min(enrollments.visible_at) as enrolled_visible_at
    from enrollments
    inner join classes
        on enrollments.source_id = classes.source_id and enrollments.class_id = classes.class_id
    inner join paths on classes.course_id = paths.course_id
    inner join bounds
        on
            coalesce(enrollments.begin_date <= cast(bounds.as_of as date), true)
            and coalesce(enrollments.end_date > cast(bounds.as_of as date), true)
    where enrollments.is_active and enrollments.student_id is not null
    group by enrollments.source_id, enrollments.student_id, paths.path_id
)

select * from final

-- One row per student and learning path: both the student and a class of its course are active; what decides gates.
with steps as (
    select * from {{ ref('int_current_path_steps') }}
),

-- The day of the cut-off, where the source is.
days as (
    select
        sources.source_id,
        {{ day_in_zone('cycles.as_of', 'sources.time_zone') }} as local_date
    from {{ ref('sources') }} as sources
    cross join {{ ref('stg_landing__cycles') }} as cycles
    where cycles.is_current
),

paths as (
    select
        path_id,
        course_id,
        {{ fingerprint_of_all(fingerprint([
            'path_version', 'step_number', 'objective_id', 'is_optional', 'prerequisite_rule',
            'needed_objective_ids', 'required_objective_ids',
        ])) }} as path_fingerprint
    from steps
    group by path_id, course_id
),

mastered as (
    select
        student_key,
        {{ fingerprint_of_all(fingerprint(['objective_id'])) }} as mastered_fingerprint
    from {{ ref('int_mastery_status') }}
    where is_completed
    group by student_key
),

enrolled as (
    select
        enrollments.student_key,
        enrollments.roster_source_id,
        enrollments.student_id,
        paths.path_id,
        paths.path_fingerprint,
        min(enrollments.visible_at) as enrolled_visible_at
    from {{ with_live('fct_enrollment') }} as enrollments
    inner join {{ with_live('dim_class') }} as classes
        on enrollments.class_key = classes.class_key and classes.is_active
    inner join {{ with_live('dim_user') }} as students
        on enrollments.student_key = students.user_key and students.is_active
    inner join paths on classes.course_id = paths.course_id
    inner join days
        on
            enrollments.source_id = days.source_id
            and coalesce(enrollments.begin_date <= days.local_date, true)
            and coalesce(enrollments.end_date > days.local_date, true)
    where enrollments.is_active
    group by
        enrollments.student_key,
        enrollments.roster_source_id,
        enrollments.student_id,
        paths.path_id,
        paths.path_fingerprint
),

final as (
    select
        enrolled.student_key,
        enrolled.roster_source_id,
        enrolled.student_id,
        enrolled.path_id,
        enrolled.enrolled_visible_at,
        {{ fingerprint([
            'enrolled.student_key', 'enrolled.path_id', 'enrolled.path_fingerprint',
            'mastered.mastered_fingerprint',
        ]) }} as inputs_fingerprint
    from enrolled
    left join mastered using (student_key)
)

select * from final

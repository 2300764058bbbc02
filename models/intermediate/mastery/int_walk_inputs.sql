-- One row per student and path walked: a fingerprint of all that decides its gates.
with walkers as (
    select * from {{ ref('int_paths_walked') }}
),

paths as (
    select
        path_id,
        {{ fingerprint_of_all(fingerprint([
            'path_version', 'step_number', 'objective_id', 'is_optional', 'prerequisite_rule',
            'needed_objective_ids', 'required_objective_ids',
        ])) }} as path_fingerprint
    from {{ ref('int_path_steps_in_force') }}
    group by path_id
),

mastered as (
    select
        roster_source_id,
        student_id,
        {{ fingerprint_of_all(fingerprint(['objective_id'])) }} as mastered_fingerprint
    from {{ ref('int_mastery_overridden') }}
    where is_completed
    group by roster_source_id, student_id
),

final as (
    select
        walkers.roster_source_id,
        walkers.student_id,
        walkers.path_id,
        {{ fingerprint([
            'walkers.roster_source_id', 'walkers.student_id', 'walkers.path_id', 'paths.path_fingerprint',
            'mastered.mastered_fingerprint',
        ]) }} as inputs_fingerprint
    from walkers
    inner join paths using (path_id)
    left join mastered using (roster_source_id, student_id)
)

select * from final

-- One row per student of whom there is evidence: a fingerprint of all that decides the outcomes.
with evidence as (
    select * from {{ deciding_evidence() }}
    where objective_id is not null and student_key is not null
),

students as (
    select * from {{ with_live('dim_user') }}
),

rules as (
    select {{ fingerprint_of_all('rule_fingerprint') }} as rules_fingerprint
    from {{ ref('int_current_rules') }}
),

by_student as (
    select
        student_key,
        roster_source_id,
        student_id,
        {{ fingerprint_of_all('evidence_fingerprint') }} as evidence_fingerprint
    from evidence
    group by student_key, roster_source_id, student_id
),

final as (
    select
        by_student.student_key,
        by_student.roster_source_id,
        by_student.student_id,
        students.org_id,
        {{ fingerprint([
            'by_student.student_key', 'by_student.evidence_fingerprint', 'students.org_id',
            'rules.rules_fingerprint',
        ]) }} as inputs_fingerprint
    from by_student
    cross join rules
    left join students on by_student.student_key = students.user_key
)

select * from final

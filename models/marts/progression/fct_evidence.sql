-- One row per result and objective: one piece of evidence, and what became of it.
with oneroster_results as (
    select
        * exclude (result_key, result_id, line_item_key, score_status, score, is_withdrawn, alignment_fingerprint),
        result_key as evidence_key,
        'oneroster/results' as feed,
        result_id as evidence_id,
        'scored' as kind,
        cast(null as varchar) as level,
        'date' as event_precision
    from {{ ref('int_evidence__oneroster_results') }}
),

students as (
    select user_key from {{ ref('dim_user') }}
),

classes as (
    select class_key from {{ ref('dim_class') }}
),

final as (
    select
        evidence.*,
        {{ columns_where({
            'student_id': 'students.user_key is null',
            'class_id': 'evidence.class_key is not null and classes.class_key is null',
        }) }} as unresolved
    from oneroster_results as evidence
    left join students on evidence.student_key = students.user_key
    left join classes on evidence.class_key = classes.class_key
)

select * from final

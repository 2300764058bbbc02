-- One row per result and objective: one piece of evidence, and what became of it.
with merged as (
    {{ merged_students() }}
),

oneroster_results as (
    select
        * exclude (result_key, result_id, score_status, score, is_withdrawn, alignment_fingerprint),
        result_key as evidence_key,
        'oneroster/results' as feed,
        result_id as evidence_id,
        'scored' as kind,
        cast(null as varchar) as level,
        cast(null as varchar) as scale,
        'linked' as identity,
        'valid' as validity,
        'date' as event_precision
    from {{ ref('int_evidence__oneroster_results') }}
    {% if not reads_oneroster() %}where false{% endif %}
),

-- What is about a student who is known by another id now is about that one.
of_students as (
    select
        results.* replace (
            coalesce(merged.student_key, results.student_key) as student_key,
            case
                when merged.student_key is null then results.student_id
                else substr(merged.student_key, length(results.roster_source_id) + 2)
            end as student_id
        )
    from oneroster_results as results
    left join merged on results.student_key = merged.user_key
),

-- The same work under several ids counts once: its newest result.
ranked as (
    select
        *,
        row_number() over (
            partition by student_key, objective_id, coalesce(line_item_key, evidence_key), disposition
            order by event_at desc, version_at desc, evidence_key asc
        ) as recency
    from of_students
),

counted as (
    select
        * exclude (disposition),
        case when disposition = 'usable' and recency > 1 then 'duplicate' else disposition end as disposition
    from ranked
),

every_family as (
    select * from counted
    {%- if has_assessments() %}
    union all by name
    select * from {{ ref('int_assessment_evidence') }}
    {%- endif %}
),

students as (
    select user_key from {{ with_live('dim_user') }}
),

classes as (
    select class_key from {{ with_live('dim_class') }}
),

final as (
    select
        evidence.*,
        {{ columns_where({
            'student_id': 'evidence.student_key is not null and students.user_key is null',
            'class_id': 'evidence.class_key is not null and classes.class_key is null',
        }) }} as unresolved
    from every_family as evidence
    left join students on evidence.student_key = students.user_key
    left join classes on evidence.class_key = classes.class_key
)

select * exclude (line_item_key, recency) from final

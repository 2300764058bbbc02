-- One row per result of an assessment, for a whole test or one part of it, and the student of the roster whose it is.
{{ config(enabled=has_assessments()) }}

with results as (
    select
        * exclude (student_ids, family_name, given_name, birth_date, grade),
        concat_ws('/', assessment, subject, part) as aligned_id
    from {{ ref('int_assessment_results') }}
),

links as (
    select * from {{ ref('int_student_links') }}
),

alignment as (
    select
        source_id,
        aligned_id,
        min(objective_id) as objective_id
    from {{ ref('objective_alignment') }}
    where aligned_kind = 'assessment'
    group by source_id, aligned_id
),

students as (
    select user_key from {{ with_live('dim_user') }}
),

final as (
    select
        results.*,
        links.student_key,
        substr(links.student_key, length(results.roster_source_id) + 2) as student_id,
        coalesce(links.outcome, 'none') as identity,
        coalesce(links.is_usable, false) as is_linked,
        alignment.objective_id,
        {{ columns_where({'student_id': 'links.student_key is not null and students.user_key is null'}) }} as unresolved
    from results
    left join links on results.source_student_key = links.source_student_key
    left join students on links.student_key = students.user_key
    left join alignment on results.source_id = alignment.source_id and results.aligned_id = alignment.aligned_id
)

select * from final

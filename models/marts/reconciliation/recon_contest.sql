-- One row per student, field, and source whose value is not the one that stands: what sources say differently of one.
{{ config(enabled=has_assessments()) }}

with students as (
    select * from {{ ref('int_roster_students') }}
    where user_key = student_key
),

links as (
    select * from {{ ref('int_student_links') }}
    where student_key is not null
),

linked as (
    select distinct student_key from links
),

said as (
    select
        students.student_key,
        students.roster_source_id,
        students.roster_source_id as source_id,
        students.family_name,
        students.given_name,
        cast(students.birth_date as varchar) as birth_date
    from students
    inner join linked using (student_key)
    union all
    select
        links.student_key,
        links.roster_source_id,
        links.source_id,
        witnesses.family_name,
        witnesses.given_name,
        cast(witnesses.birth_date as varchar) as birth_date
    from links
    inner join {{ ref('int_student_witnesses') }} as witnesses using (source_student_key)
),

fields as (
    unpivot said on family_name, given_name, birth_date
    into name field_name value compared_value
),

ranked as (
    select
        fields.*,
        case
            when hierarchy.rank is not null then 'source_hierarchy'
            when fields.source_id = fields.roster_source_id then 'roster'
            else 'not_ranked'
        end as place_by,
        row_number() over (
            partition by fields.student_key, fields.field_name
            order by
                hierarchy.rank asc nulls last,
                fields.source_id = fields.roster_source_id desc,
                fields.source_id asc,
                fields.compared_value asc
        ) as place
    from fields
    left join {{ ref('source_hierarchy') }} as hierarchy using (field_name, source_id)
),

final as (
    select distinct
        losers.student_key,
        losers.field_name,
        winners.source_id as winner_source_id,
        winners.compared_value as winner_value,
        winners.place_by as rule,
        losers.source_id as loser_source_id,
        losers.compared_value as loser_value
    from ranked as losers
    inner join ranked as winners
        on losers.student_key = winners.student_key and losers.field_name = winners.field_name and winners.place = 1
    where losers.compared_value <> winners.compared_value
)

select * from final

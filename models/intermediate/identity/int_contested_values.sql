-- One row per student, field, and source whose value is not the one that stands: what sources say differently of one.
{{ config(enabled=has_assessments()) }}

with said as (
    select * from {{ ref('int_said_of_students') }}
),

fields as (
    unpivot said on family_name, given_name, birth_date, grade, school_name
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
                fields.source_id asc
        ) as place
    from fields
    left join {{ ref('source_hierarchy') }} as hierarchy using (field_name, source_id)
    where
        fields.field_name not in ('grade', 'school_name')
        or fields.field_name in (select ranks.field_name from {{ ref('source_hierarchy') }} as ranks)
)

select
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

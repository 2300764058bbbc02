-- One row per student as a source knows one: how an id became a student of the roster, or why it did not.
{{ config(enabled=has_assessments()) }}

with links as (
    select
        *,
        list_filter(
            [
                case when is_id_shared then 'id_of_several_students' end,
                case when do_ids_differ then 'ids_of_different_students' end,
                'birth_date_' || if(does_birth_date_agree, 'agrees', if(not does_birth_date_agree, 'differs', null)),
                'family_name_' || if(does_family_name_agree, 'agrees', if(not does_family_name_agree, 'differs', null)),
                'initial_' || if(does_initial_agree, 'agrees', if(not does_initial_agree, 'differs', null)),
                case when is_indistinct then 'not_told_from_another' end,
            ],
            lambda code: code is not null
        ) as witnesses
    from {{ ref('int_student_links') }}
),

tried as (
    select
        ids.source_student_key,
        array_agg(
            distinct concat(columns.feed, ' ', columns.column_name)
            order by concat(columns.feed, ' ', columns.column_name)
        ) as id_columns
    from {{ ref('int_student_ids') }} as ids
    inner join {{ ref('identity_columns') }} as columns using (source_id, assigner, id_kind)
    group by ids.source_student_key
),

since as (
    select
        history.source_student_key,
        min(cycles.cycle_id) as since_cycle_id
    from {{ ref('snap_student_link') }} as history
    inner join {{ ref('stg_landing__cycles') }} as cycles on history.dbt_valid_from = cycles.as_of
    where history.dbt_valid_to is null
    group by history.source_student_key
),

final as (
    select
        links.source_id,
        links.roster_source_id,
        links.source_student_key,
        tried.id_columns,
        links.outcome,
        links.found_student_key,
        links.is_usable,
        links.witnesses,
        decided.decision,
        decided.decided_cycle_id,
        since.since_cycle_id
    from links
    left join tried on links.source_student_key = tried.source_student_key
    left join since on links.source_student_key = since.source_student_key
    left join {{ ref('int_student_decisions') }} as decided on links.source_student_key = decided.source_student_key
)

select * from final

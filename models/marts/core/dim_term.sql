-- One row per source and term: school year, semester, term or grading period.
with terms as (
    select * from {{ ref('stg_oneroster__academic_sessions') }}
),

removed as (
    select * from {{ ref('int_records_removed') }}
    where feed = 'oneroster/academic_sessions'
),

final as (
    select
        terms.source_id,
        terms.term_id,
        terms.name,
        terms.term_type,
        terms.start_date,
        terms.end_date,
        terms.parent_term_id,
        terms.school_year,
        removed.record_key is null as is_active,
        {{ columns_where({
            'parent_term_id': 'terms.parent_term_id is not null and parents.term_id is null',
        }) }} as awaiting,
        terms.modified_at,
        terms.exported_at,
        terms.landed_at,
        terms.visible_at,
        terms.file_id,
        terms.record_number,
        terms.line_number
    from terms
    left join removed
        on terms.source_id = removed.source_id and terms.term_id = removed.record_key
    left join terms as parents
        on terms.roster_source_id = parents.source_id and terms.parent_term_id = parents.term_id
)

select * from final

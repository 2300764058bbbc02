-- One row per source and term: school year, semester, term or grading period.
with terms as (
    {{ with_presence(
        ref('stg_oneroster__academic_sessions'), source('raw_oneroster', 'academic_sessions'),
        'oneroster/academic_sessions', 'term_id'
    ) }}
),

active_terms as (
    select term_key from terms
    where is_active
),

final as (
    select
        terms.*,
        {{ columns_where({
            'parent_term_id': 'terms.parent_term_key is not null and parents.term_key is null',
        }) }} as unresolved
    from terms
    left join active_terms as parents on terms.parent_term_key = parents.term_key
)

select * from final

-- One row per student and assignment of a gradebook of Canvas, a cell of it.
{{ config(enabled=is_used('canvas')) }}

with records as (
    {{ trimmed_records(source('raw_canvas', 'gradebook')) }}
),

files as (
    select * from {{ ref('stg_landing__files') }}
    where is_staged
),

typed as (
    select
        {{ lineage() }},
        {{ canvas_score_id() }} as record_key,
        {{ canvas_score_id() }} as score_id,
        {{ own_record_key(canvas_score_id()) }} as score_key,
        {{ text('ID') }} as student_id,
        {{ text('SIS User ID') }} as student_sis_id,
        {{ text('SIS Login ID') }} as student_login,
        {{ text('Student') }} as student_name,
        {{ text('Section') }} as section_names,
        {{ text('[id]') }} as assignment_id,
        {{ text('[title]') }} as assignment_title,
        {{ text('[cell]') }} as cell,
        {{ text('Points Possible') }} as points_cell,
        {{ written_number('[cell]') }} as score,
        {{ written_number('Points Possible') }} as points_possible,
        {{ hash_of_columns(['[title]', 'Section']) }} as flag_hash,
        false as is_deleted,
        cast(null as timestamp) as modified_at,
        {{ violations([
            required('ID'),
            required('[id]'),
            known_or_number('[cell]', ['EX', 'N/A']),
            known_or_number('Points Possible', []),
        ]) }} as violations
    from records
    inner join files using (file_id)
)

select
    typed.*,
    case
        when typed.score is not null then 'scored'
        when upper(typed.cell) = 'EX' then 'excused'
        when upper(typed.cell) = 'N/A' then 'not assigned'
        when typed.cell is not null then 'unreadable'
    end as status,
    {{ text_hash(['status', 'score', 'points_possible']) }} as result_hash,
    {{ is_rejected() }} as is_rejected,
    {{ content_hash() }} as content_hash
from typed

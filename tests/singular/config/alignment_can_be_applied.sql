-- Finds: rows of objective_alignment.csv that name an unknown source or an unknown kind of thing.
-- Matters: such a row aligns nothing, so work would count for its course instead.
-- Do: correct the row of seeds/rules/objective_alignment.csv that the sentence names.
{{ config(tags=['of_seeds']) }}
select
    alignment.aligned_id,
    concat(
        'seeds/rules/objective_alignment.csv, ', alignment.aligned_id, ' to ', alignment.objective_id, ': ',
        case
            when sources.source_id is null then 'source_id is not in sources.csv.'
            else 'aligned_kind is not one of line_item, class, course, assessment.'
        end
    ) as remedy
from {{ ref('objective_alignment') }} as alignment
left join {{ ref('sources') }} as sources using (source_id)
where
    sources.source_id is null
    or coalesce(alignment.aligned_kind not in ('line_item', 'class', 'course', 'assessment'), true)

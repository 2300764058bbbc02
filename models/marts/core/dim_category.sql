-- One row per source and category of graded work.
with categories as (
    {{ with_presence(
        ref('stg_oneroster__categories'),
        source('raw_oneroster', 'categories'),
        'oneroster/categories',
        'category_id'
    ) }}
)

-- A category refers to nothing that could be missing; the column is there
-- as in every other mart of a feed.
select
    *,
    cast([] as varchar[]) as unresolved
from categories

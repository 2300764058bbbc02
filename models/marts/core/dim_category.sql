-- One row per source and category of graded work.
with categories as (
    {{ with_presence(
        ref('stg_oneroster__categories'), source('raw_oneroster', 'categories'),
        'oneroster/categories', 'category_id'
    ) }}
)

select
    *,
    cast([] as varchar[]) as unresolved
from categories

-- One row per source and [[ key_words ]]: what the newest files say of it.
with records as (
    {{ rollcall.with_presence(
        ref('stg_[[ family ]]__[[ name ]]'), source('raw_[[ family ]]', '[[ name ]]'), '[[ family ]]/[[ name ]]', '[[ name ]]_id',
        [[ raw_key ]]
    ) }}
)

select
    *,
    cast([] as varchar[]) as unresolved
from records

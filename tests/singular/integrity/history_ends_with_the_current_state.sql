-- Finds: students and objectives whose open interval of history differs from the state that stands.
-- Matters: what people read today and what was recorded of today must be the same.
-- Do: look for a column of snap_mastery that is missing from its row_hash.
with open_intervals as (
    select * from {{ ref('fct_mastery_history') }}
    where valid_to is null
)

select
    mastery.student_key,
    mastery.objective_id,
    mastery.state,
    open_intervals.state as recorded_state
from {{ ref('fct_mastery') }} as mastery
full join open_intervals using (student_key, objective_id)
where
    (mastery.state, mastery.score_percent, mastery.is_override)
    is distinct from (open_intervals.state, open_intervals.score_percent, open_intervals.is_override)

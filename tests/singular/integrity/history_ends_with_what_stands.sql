-- Finds: students and objectives whose open interval of history differs from the state that stands.
-- Matters: what people read today and what was recorded of today must be the same.
-- Do: look for a column of int_mastery_hashed that is missing from its row_hash.
select
    mastery.source_id,
    mastery.student_id,
    mastery.objective_id,
    mastery.state,
    history.state as recorded_state
from {{ ref('fct_mastery') }} as mastery
full join (select * from {{ ref('fct_mastery_history') }} where valid_to is null) as history
    using (source_id, student_id, objective_id)
where
    mastery.state is distinct from history.state
    or mastery.score_percent is distinct from history.score_percent
    or mastery.is_override is distinct from history.is_override

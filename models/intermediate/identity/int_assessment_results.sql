-- One row per result of an assessment, for a whole test or one part of it, whichever vendor sent it.
{{ config(enabled=has_assessments()) }}

-- What every vendor may say; a column that one does not have is null.
with shape as (
    select
        cast(null as varchar) as family_name,
        cast(null as varchar) as given_name,
        cast(null as varchar) as grade,
        cast(null as varchar) as school_name,
        cast(null as date) as birth_date,
        cast(null as varchar) as part,
        cast(null as decimal(18, 6)) as score,
        cast(null as decimal(24, 9)) as percent,
        cast(null as varchar) as validity_reason,
        cast(null as boolean) as is_on_roster,
        cast(null as varchar) as result_hash,
        cast(null as varchar) as flag_hash
),

results as (
    select * from shape
    where false
    {%- for family in assessment_families() %}
    union all by name
    select * from {{ ref('int_assessment_results__' ~ family) }}
    {%- endfor %}
)

select
    * exclude (score, percent, level, is_on_roster),
    -- What is no result has no score and no level here, so that it is in no average; nor has what no decimal holds.
    case when validity = 'valid' then try_cast(score as decimal(18, 6)) end as score,
    case when validity = 'valid' then try_cast(percent as decimal(24, 9)) end as percent,
    case when validity = 'valid' then level end as level,
    coalesce(is_on_roster, true) as is_on_roster,
    {{ source_student_key('student_ids') }} as source_student_key
from results

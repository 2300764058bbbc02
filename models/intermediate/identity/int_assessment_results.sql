-- One row per result of an assessment, for a whole test or one part of it, whichever vendor sent it.
{{ config(enabled=has_assessments()) }}

-- What every vendor may say; a column that one does not have is null.
with shape as (
    select
        cast(null as varchar) as family_name,
        cast(null as varchar) as given_name,
        cast(null as varchar) as part,
        cast(null as decimal(18, 6)) as score,
        cast(null as decimal(24, 9)) as percent,
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
    * exclude (score, percent),
    cast(score as decimal(18, 6)) as score,
    cast(percent as decimal(24, 9)) as percent,
    {{ source_student_key('student_ids') }} as source_student_key
from results

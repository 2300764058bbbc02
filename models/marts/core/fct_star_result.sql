-- One row per source and test that a student took: a result of Star.
{{ config(enabled=is_used('star')) }}

with results as (
    {{ with_presence(
        ref('stg_star__overall'), source('raw_star', 'overall'),
        'star/overall', 'assessment_id', text('AssessmentID'), whole_by=('data_year', year('SchoolYear'))
    ) }}
)

select
    *,
    cast([] as varchar[]) as unresolved
from results

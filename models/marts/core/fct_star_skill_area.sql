-- One row per source, test and skill area: what a Star test says of the skill area.
{{ config(enabled=is_used('star')) }}

with skill_areas as (
    {{ with_presence(
        ref('stg_star__skill_area'), source('raw_star', 'skill_area'),
        'star/skill_area', 'skill_area_result_id', star_skill_area_id(), whole_by=('data_year', year('SchoolYear'))
    ) }}
)

select
    *,
    cast([] as varchar[]) as unresolved
from skill_areas

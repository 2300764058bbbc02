-- One row per source and section, as Canvas knows it.
{{ config(enabled=is_used('canvas')) }}

with sections as (
    {{ with_presence(
        ref('stg_canvas__sections'), source('raw_canvas', 'sections'),
        'canvas/sections', 'section_id', text('section_id')
    ) }}
)

select
    *,
    cast([] as varchar[]) as unresolved
from sections

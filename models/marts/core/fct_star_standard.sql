-- One row per source, test and standard: what a Star test says of the standard.
{{ config(enabled=is_used('star')) }}

with standards as (
    {{ with_presence(
        ref('stg_star__standards'), source('raw_star', 'standards'),
        'star/standards', 'standard_result_id', star_standard_id(), whole_by=('data_year', year('SchoolYear'))
    ) }}
)

select
    *,
    cast([] as varchar[]) as unresolved
from standards

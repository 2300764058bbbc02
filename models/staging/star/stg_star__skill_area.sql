-- One row per source, test and skill area: its newest accepted version.
{{ config(enabled=is_used('star'), unique_key='skill_area_result_key') }}

with records as (
    select * from {{ ref('base_star__skill_area') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'skill_area_result_key') }}
)

select * from newest

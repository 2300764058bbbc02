-- One row per column of a layout: what it means and where it is staged.
{{ config(tags=['of_seeds']) }}

with layouts as (
    select * from {{ ref('layouts') }}
    union all
    select * from {{ ref('district_layouts') }}
),

final as (
    select
        feed,
        layout_version,
        position,
        column_name,
        data_type,
        is_required,
        allowed_values,
        "references" as referenced_feed,
        is_key,
        staged_as,
        personal_data,
        meaning
    from layouts
)

select * from final

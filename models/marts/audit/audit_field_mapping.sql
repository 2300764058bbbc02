-- One row per column of a layout: what it means and where it is staged.
{{ config(tags=['of_seeds']) }}

{% set columns %}
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
{%- endset %}
-- The two have other columns where one of them has layouts of fixed width.
with mapping as (
    select {{ columns }}
    from {{ ref('layouts') }}
    union all
    select {{ columns }}
    from {{ ref('district_layouts') }}
),

final as (
    select * from mapping
    where list_contains({{ var('families') }}, split_part(feed, '/', 1))
)

select * from final

{#-
    Every reference of a mart resolves, or `unresolved` names it, and nothing is named that resolves.
    `references`: a list of {column, to, field, named}: the key, a list of keys where `is_list` is true, the mart and
    its key that are referred to, and the name under which `unresolved` lists the reference. Where `to_active` is true
    only an active row is what it resolves to.
    Returns the keys that break this, with the number of rows of each.
-#}
{% test references_resolve(model, references) %}
{%- for reference in references %}
select
    '{{ reference.column }}' as column_name,
    referring.reference_key,
    count(*) as row_count
from (
    select
        {{ 'unnest(' ~ reference.column ~ ')' if reference.is_list else reference.column }} as reference_key,
        list_contains(unresolved, '{{ reference.named }}') as is_named,
        {{ 'true' if reference.is_list else 'false' }} as is_list
    from {{ model }}
) as referring
left join {{ ref(reference.to) }} as referred
    on referring.reference_key = referred.{{ reference.field }}{{ ' and referred.is_active' if reference.to_active }}
where
    referring.reference_key is not null
    and case
        when referred.{{ reference.field }} is null then not referring.is_named
        else referring.is_named and not referring.is_list
    end
group by referring.reference_key
{{ 'union all' if not loop.last }}
{%- endfor %}
{% endtest %}

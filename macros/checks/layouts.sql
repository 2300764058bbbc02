{#- The names that are in one list and not in another, as a text; null when there are none. -#}
{% macro names_missing(names, others) -%}
    nullif(array_to_string(list_filter({{ names }}, lambda name: not list_contains({{ others }}, name)), ', '), '')
{%- endmacro %}

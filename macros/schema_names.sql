{#- Schemas are named as the public interface names them (`core`, `audit`, ...), in every target. -#}
{% macro default__generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}

{#- Schemas are named as the public interface names them (`core`, `audit`, ...), in every target. -#}
{% macro default__generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}

{#- The schemas of a database. dbt names it in quotes, by which dbt-duckdb finds none and has every run make them anew. -#}
{% macro duckdb__list_schemas(database) -%}
    {{ return(run_query(
        "select schema_name from system.information_schema.schemata where catalog_name = '" ~ database | replace('"', '') ~ "'"
    )) }}
{%- endmacro %}

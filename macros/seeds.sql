{#- Loads a seed from its file, in whose path an apostrophe is an apostrophe. -#}
{% macro duckdb__load_csv_rows(model, agate_table) -%}
    {%- set quoted = dict(
        model,
        root_path=escape_single_quotes(model['root_path']),
        original_file_path=escape_single_quotes(model['original_file_path']),
    ) -%}
    {{ return(dbt.duckdb__load_csv_rows(quoted, agate_table)) }}
{%- endmacro %}

{#-
    How tables are built in a warehouse that nobody reads before its cycle is complete: in their place, in one
    transaction. dbt-duckdb builds them beside the old ones and renames both.

    A table that a cycle finds was made by the same code: of other code, a cycle begins with none. Its rows are replaced;
    its columns, types and comments are checked and written only when it is made. Any other target makes it anew.
-#}

{% materialization table, adapter='duckdb' %}
    {%- set bring_rows -%}
        delete from {{ this }};
        insert into {{ this }} by name select * from ({{ compiled_code }});
    {%- endset -%}
    {{ return(rollcall.build_in_place(rollcall.is_made_already(), bring_rows)) }}
{% endmaterialization %}

{#- New rows take the place of those with the same `unique_key`; without one, they are added. -#}
{% materialization incremental, adapter='duckdb' %}
    {%- set key = config.get('unique_key') or [] -%}
    {%- set bring_rows -%}
        create or replace temporary table new_rows as {{ compiled_code }};
        {%- if key %}
        delete from {{ this }} using new_rows
        where
            {%- for column in ([key] if key is string else key) %}
            {{ this }}.{{ column }} = new_rows.{{ column }}{{ ' and' if not loop.last }}
            {%- endfor %};
        {%- endif %}
        insert into {{ this }} by name select * from new_rows;
        drop table new_rows;
    {%- endset -%}
    {{ return(rollcall.build_in_place(is_incremental(), bring_rows)) }}
{% endmaterialization %}

{#- Bring new rows into a table that is there; make it whole otherwise, in the place of whatever has its name. -#}
{% macro build_in_place(is_there, bring_rows) -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set built = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {%- call statement('main') -%}
        {%- if is_there -%}
            {{ bring_rows }}
        {%- else -%}
            drop {{ 'view' if existing is not none and existing.is_view else 'table' }} if exists {{ built }};
            {{ create_table_as(False, built, compiled_code) }}
        {%- endif -%}
    {%- endcall -%}
    {%- if not is_there -%}
        {%- do persist_docs(built, model) -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {%- do adapter.commit() -%}
    {{ return({'relations': [built]}) }}
{%- endmacro %}

{#-
    The columns of a table that is made. The keys that a contract declares are for catalogues and those who read them:
    DuckDB would keep an index for each, and refuse a row that comes in the transaction that removed its old version.
    `one_row_per` tests them.
-#}
{% macro duckdb__get_table_columns_and_constraints() -%}
    (
        {%- for column in model['columns'].values() %}
        {{ column.name }} {{ column.data_type }}{{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{% macro is_made_already() -%}
    {%- set existing = load_cached_relation(this) -%}
    {{ return(target.name == 'cycle' and existing is not none and existing.is_table and not should_full_refresh()) }}
{%- endmacro %}

{#- The schemas of a database. dbt names it in quotes, by which dbt-duckdb finds none and has every run make them anew. -#}
{% macro duckdb__list_schemas(database) -%}
    {{ return(run_query(
        "select schema_name from system.information_schema.schemata where catalog_name = '" ~ database | replace('"', '') ~ "'"
    )) }}
{%- endmacro %}

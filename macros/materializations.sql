{#-
    How tables are built in a warehouse that nobody reads before its cycle is complete: in their place, in one
    transaction. dbt-duckdb builds them beside the old ones and renames both.

    A table that a cycle finds was made by the same code: of other code, a cycle begins with none. Its rows are replaced;
    its columns, types and comments are checked and written only when it is made. Any other target makes it anew.
-#}

{% materialization table, adapter='duckdb' %}
    {{ run_hooks(pre_hooks) }}
    {%- if rollcall.is_made_already() -%}
        {%- call statement('main') -%}
            delete from {{ this }};
            insert into {{ this }} by name select * from ({{ compiled_code }});
        {%- endcall -%}
    {%- else -%}
        {{ rollcall.make_table() }}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {%- do adapter.commit() -%}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmaterialization %}

{#- New rows take the place of those with the same `unique_key`; without one, they are added. -#}
{% materialization incremental, adapter='duckdb' %}
    {{ run_hooks(pre_hooks) }}
    {%- set key = config.get('unique_key') -%}
    {%- if is_incremental() and key -%}
        {%- call statement('main') -%}
            create or replace temporary table new_rows as {{ compiled_code }};
            delete from {{ this }} using new_rows
            where
                {%- for column in ([key] if key is string else key) %}
                {{ this }}.{{ column }} = new_rows.{{ column }}{{ ' and' if not loop.last }}
                {%- endfor %};
            insert into {{ this }} by name select * from new_rows;
            drop table new_rows;
        {%- endcall -%}
    {%- elif is_incremental() -%}
        {%- call statement('main') -%}
            insert into {{ this }} by name select * from ({{ compiled_code }});
        {%- endcall -%}
    {%- else -%}
        {{ rollcall.make_table() }}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {%- do adapter.commit() -%}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmaterialization %}

{% macro is_made_already() -%}
    {%- set existing = load_cached_relation(this) -%}
    {{ return(target.name == 'cycle' and existing is not none and existing.is_table and not should_full_refresh()) }}
{%- endmacro %}

{#- Make a table whole, in the place of whatever has its name. -#}
{% macro make_table() -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set made = this.incorporate(type='table') -%}
    {%- call statement('main') -%}
        drop {{ 'view' if existing is not none and existing.is_view else 'table' }} if exists {{ made }};
        {{ create_table_as(False, made, compiled_code) }}
    {%- endcall -%}
    {%- do persist_docs(made, model) -%}
{%- endmacro %}

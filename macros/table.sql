{#-
    A table is replaced in its place, in one transaction. dbt-duckdb builds it beside the old one and renames both, which
    is for databases that are read meanwhile; here nobody reads a warehouse before its cycle is complete.
-#}
{% materialization table, adapter='duckdb' %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {%- call statement('main') -%}
        drop {{ 'view' if existing is not none and existing.is_view else 'table' }} if exists {{ target_relation }};
        {{ create_table_as(False, target_relation, compiled_code) }}
    {%- endcall -%}
    {%- do persist_docs(target_relation, model) -%}
    {{ run_hooks(post_hooks) }}
    {%- do adapter.commit() -%}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

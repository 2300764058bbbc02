{#- Tables are replaced in their place, as Rollcall does: a night costs a tenth less. -#}
{% materialization table, adapter='duckdb' %}
    {{ return(rollcall.materialization_table_duckdb()) }}
{% endmaterialization %}

{#- Tables are built in their place, as Rollcall builds its own: a night costs a tenth less. -#}
{% materialization table, adapter='duckdb' %}
    {{ return(rollcall.materialization_table_duckdb()) }}
{% endmaterialization %}

{% materialization incremental, adapter='duckdb' %}
    {{ return(rollcall.materialization_incremental_duckdb()) }}
{% endmaterialization %}

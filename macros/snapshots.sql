{#- The only clock that dbt knows: the cut-off of the newest cycle. -#}

{#- Puts the cut-off in place of the wall clock with which dbt would close rows that vanish from a snapshot. -#}
{% macro duckdb__snapshot_get_time() -%}
    (select max(cutoff_at) from {{ source('landing', 'cycles') }})
{%- endmacro %}

{#-
    Before a snapshot: a cut-off that moves backwards is refused, because history would overlap. The same
    cut-off again takes back what it recorded before, so that a repeat with other code is exact.
-#}
{% macro rewind_to_cutoff() %}
    {% if execute and load_relation(this) is not none %}
        {% set recorded = run_query(
            'select max(greatest(dbt_valid_from, coalesce(dbt_valid_to, dbt_valid_from))) from ' ~ this
        ).columns[0].values()[0] %}
        {% set cutoff = run_query('select ' ~ snapshot_get_time()).columns[0].values()[0] %}
        {% if recorded is not none and (cutoff is none or cutoff < recorded) %}
            {% do exceptions.raise_compiler_error(
                this.identifier ~ ' already records the cut-off ' ~ recorded ~ '; the newest cycle ends at '
                ~ cutoff ~ '. History only goes forward: use the data directory that this database was built from, '
                ~ 'or remove the database and build it anew.'
            ) %}
        {% endif %}
        delete from {{ this }} where dbt_valid_from = {{ snapshot_get_time() }};
        update {{ this }} set dbt_valid_to = null where dbt_valid_to = {{ snapshot_get_time() }};
    {% endif %}
{% endmacro %}

{#- The only clock that dbt knows: the cut-off of the newest cycle. -#}

{#- Puts the cut-off in place of the wall clock with which dbt would close rows that vanish from a snapshot. -#}
{% macro duckdb__snapshot_get_time() -%}
    (select max(cutoff_at) from {{ source('landing', 'cycles') }} where status <> 'skipped')
{%- endmacro %}

{#-
    Before a snapshot: a cut-off that moves backwards is refused, because history would overlap. The same
    cut-off again takes back what it recorded before, so that a repeat with other code is exact.
-#}
{% macro rewind_to_cutoff() %}
    {%- if snapshot_get_time() | trim != rollcall.duckdb__snapshot_get_time() | trim %}
        {{ exceptions.raise_compiler_error(
            "History would follow the wall clock: dbt_project.yml must dispatch dbt's macros to rollcall before dbt, "
            ~ "as the project that `rollcall new` writes does."
        ) }}
    {%- endif %}
    {% if load_cached_relation(this) is not none %}
        select error(
            '{{ this.identifier }} already records the cut-off ' || max(greatest(dbt_valid_from, coalesce(dbt_valid_to, dbt_valid_from)))
            || ', which is after that of the newest cycle. History only goes forward: use the data directory that this '
            || 'database was built from, or remove the database and build it anew.'
        )
        from {{ this }}
        having
            max(dbt_valid_from) is not null
            and coalesce(max(greatest(dbt_valid_from, coalesce(dbt_valid_to, dbt_valid_from))) > {{ snapshot_get_time() }}, true);
        delete from {{ this }} where dbt_valid_from = {{ snapshot_get_time() }};
        update {{ this }} set dbt_valid_to = null where dbt_valid_to = {{ snapshot_get_time() }};
    {% endif %}
{% endmacro %}

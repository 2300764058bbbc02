{#- What differs between engines and three or more files use. DuckDB is the default; another engine overrides by `<engine>__<name>`. -#}

{#- The names of the columns whose condition holds, as a list; `conditions` maps column to condition. -#}
{% macro columns_where(conditions) -%}
    {{ adapter.dispatch('columns_where', 'rollcall')(conditions) }}
{%- endmacro %}

{% macro default__columns_where(conditions) -%}
    list_filter(
            [
                {%- for column, condition in conditions.items() %}
                case when {{ condition }} then '{{ column }}' end{{ ',' if not loop.last }}
                {%- endfor %}
            ],
            lambda column_name: column_name is not null
        )
{%- endmacro %}

{#- Hours from one instant to a later one, with fractions; negative when the second is the earlier. -#}
{% macro hours_between(start, stop) -%}
    {{ adapter.dispatch('hours_between', 'rollcall')(start, stop) }}
{%- endmacro %}

{% macro default__hours_between(start, stop) -%}
    round(epoch({{ stop }} - {{ start }}) / 3600, 2)
{%- endmacro %}

{#- The value below which that share (0 to 1) of the rows lies, between two rows in proportion. -#}
{% macro percentile(expression, share) -%}
    {{ adapter.dispatch('percentile', 'rollcall')(expression, share) }}
{%- endmacro %}

{% macro default__percentile(expression, share) -%}
    round(quantile_cont({{ expression }}, {{ share }}), 2)
{%- endmacro %}

{#- A number that is equal for equal columns and, but for chance, different otherwise. -#}
{% macro fingerprint(columns) -%}
    {{ adapter.dispatch('fingerprint', 'rollcall')(columns) }}
{%- endmacro %}

{% macro default__fingerprint(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}

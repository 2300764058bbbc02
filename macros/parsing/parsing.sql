{#-
    The parsing vocabulary: how one raw text column becomes a typed value.
    Each macro takes the name of a raw column and renders one expression; what cannot be read is null.
    Blank (empty or white space only) is null everywhere; surrounding white space never counts.
-#}

{% macro text(column) -%}
    nullif(trim("{{ column }}"), '')
{%- endmacro %}

{% macro date(column) -%}
    case when {{ matches(text(column), '\d{4}-\d{2}-\d{2}') }} then try_cast({{ text(column) }} as date) end
{%- endmacro %}

{% macro instant(column) -%}
    {{ utc_instant(text(column)) }}
{%- endmacro %}

{% macro number(column) -%}
    case
        when {{ matches(text(column), '[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?') }}
            then try_cast({{ text(column) }} as decimal(18, 6))
    end
{%- endmacro %}

{% macro integer(column) -%}
    case when {{ matches(text(column), '[+-]?\d+') }} then try_cast({{ text(column) }} as integer) end
{%- endmacro %}

{% macro year(column) -%}
    case when {{ matches(text(column), '\d{4}') }} then try_cast({{ text(column) }} as integer) end
{%- endmacro %}

{% macro boolean(column) -%}
    case lower({{ text(column) }}) when 'true' then true when 'false' then false end
{%- endmacro %}

{% macro text_list(column) -%}
    {{ split_list(text(column)) }}
{%- endmacro %}

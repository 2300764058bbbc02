{#-
    The instant that a raw text of the records that are compared names, as UTC, by the engine's own casts: reconciliation
    is a witness against staging, and shares none of its macros.
-#}
{% macro compared_instant(column) -%}
    case
        when {{ column }} < '1981' then null
        when length({{ column }}) = 10
            then cast(try_cast({{ column }} as date) + 1 as timestamp) at time zone records.time_zone at time zone 'UTC'
        when regexp_matches({{ column }}, ':.*[Z+-]')
            then try_cast(regexp_replace({{ column }}, ' ([+-])', '\1') as timestamptz) at time zone 'UTC'
        else try_cast({{ column }} as timestamp) at time zone records.naive_time_zone at time zone 'UTC'
    end
{%- endmacro %}

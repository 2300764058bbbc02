{#-
    The instant that a raw text of the records that are compared names, as UTC, by the engine's own casts: reconciliation
    is a witness against staging, and shares none of its macros. The engine reads years of any length, and fails where
    it moves one of six digits by a day.
-#}
{% macro compared_instant(column) -%}
    {%- set within_reach = 'replace(' ~ column ~ ", '9999-12-31', '9999-12-30')" -%}
    case
        when {{ column }} < '1981' or {{ column }} not like '____-%' then null
        when length({{ column }}) = 10
            then cast(try_cast({{ within_reach }} as date) + 1 as timestamp) at time zone records.time_zone at time zone 'UTC'
        when regexp_matches({{ column }}, ':.*[Z+-]')
            then try_cast(regexp_replace({{ within_reach }}, ' ([+-])', '\1') as timestamptz) at time zone 'UTC'
        else try_cast({{ within_reach }} as timestamp) at time zone records.naive_time_zone at time zone 'UTC'
    end
{%- endmacro %}

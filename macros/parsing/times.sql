{#-
    The one grammar of days and times: ISO 8601, with any number of fractional digits. It reads exports, overrides and
    seeds alike, from an expression of trimmed text; what cannot be read is null.
-#}

{#-
    A text with a time of the last day that a date can name, as of the day before: in another zone its instant would be
    of the year 10000, which few programs read.
-#}
{% macro within_reach(expression) -%}
    replace({{ expression }}, '9999-12-31', '9999-12-30')
{%- endmacro %}

{#- The day after a day; the last one that a date can name counts as over when it begins. -#}
{% macro day_after(day) -%}
    {{ day }} + cast({{ day }} < date '9999-12-31' as integer)
{%- endmacro %}

{#- A day with a time, without a zone; of the last day that a date can name, as of the day before. -#}
{% macro day_at(day, time) -%}
    {{ day }} - cast({{ day }} = date '9999-12-31' as integer) + {{ time }}
{%- endmacro %}

{#- A day that a text writes as MM/DD/YYYY or M/D/YYYY, as ISO 8601 writes it; any other text as it is. -#}
{% macro iso_of(expression) -%}
    regexp_replace(regexp_replace({{ expression }}, '\b([0-9])/', '0\1/', 'g'), '^([0-9]{2})/([0-9]{2})/([0-9]{4})$', '\3-\1-\2')
{%- endmacro %}

{#- A date written `MMDDYYYY` as ISO 8601 writes it; any other text is not a date of either form. -#}
{% macro iso_of_digits(expression) -%}
    regexp_replace(lpad({{ expression }}, 8, '0'), '^([0-9]{2})([0-9]{2})([0-9]{4})$', '\3-\1-\2')
{%- endmacro %}

{#- The day that a text names. -#}
{% macro day_of(expression) -%}
    case when {{ rollcall.matches(expression, '[0-9]{4}-[0-9]{2}-[0-9]{2}') }} then try_cast({{ expression }} as date) end
{%- endmacro %}

{#-
    The instant that a text with a time names, as UTC. Where it names no zone it is of the time zone given: a time that
    the clocks pass twice is the later, one that they leave out as long after midnight. A plain cast to timestamp would
    drop an offset instead of applying it. No zone is more than 14 hours from UTC.
-#}
{% macro time_of(expression, naive_time_zone) -%}
    {%- set naive = '[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?' -%}
    case
            when {{ rollcall.matches(expression, naive ~ '(Z| ?[+-]((0[0-9]|1[0-3])(:?[0-5][0-9])?|14(:?00)?))') }}
                then try_cast(replace(replace({{ rollcall.within_reach(expression) }}, ' +', '+'), ' -', '-') as timestamptz) at time zone 'UTC'
            when {{ rollcall.matches(expression, naive) }}
                then try_cast({{ rollcall.within_reach(expression) }} as timestamp) at time zone {{ naive_time_zone }} at time zone 'UTC'
        end
{%- endmacro %}

{#- The instant at which a day begins in a time zone, as UTC. -#}
{% macro start_of_day(day, time_zone) -%}
    cast({{ day }} as timestamp) at time zone {{ time_zone }} at time zone 'UTC'
{%- endmacro %}

{#- The day on which an instant, as UTC, falls in a time zone. -#}
{% macro day_in_zone(instant, time_zone) -%}
    cast({{ instant }} at time zone 'UTC' at time zone {{ time_zone }} as date)
{%- endmacro %}

{#-
    False before 1981: there lie the zero points of the clocks of programs (0000, 0001, 1601, 1753, 1899, 1900, 1904,
    1970 and 1980), which they write where they know no date. Texts of dates sort as the dates do.
-#}
{% macro is_plausible(expression) -%}
    {{ expression }} >= '1981'
{%- endmacro %}

{#- True for a text in the form of a date, or of a date with a time, that is not plausible. -#}
{% macro is_implausible(expression) -%}
    ({{ expression }} < '1981' and {{ rollcall.matches(expression, '[01][0-9]{3}-[0-9]{2}-[0-9]{2}.*') }})
{%- endmacro %}

{#-
    The rows of a seed of rules, with the times between which each is effective, as UTC. A date there is a bound that
    we set, not something that happened: it is the beginning of that day.
-#}
{% macro with_effective_times(seed) -%}
    select
        * exclude (effective_from, effective_to)
        {%- for column in ('effective_from', 'effective_to') %},
        coalesce({{ rollcall.time_of('trim(' ~ column ~ ')', "'UTC'") }}, {{ rollcall.day_of('trim(' ~ column ~ ')') }}) as {{ column }}
        {%- endfor %}
    from {{ seed }}
{%- endmacro %}

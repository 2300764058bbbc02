{#-
    The parsing vocabulary: how one raw text column becomes a typed value.
    Each macro takes the name of a raw column and renders one expression; what cannot be read is null.
    Blank (empty or white space only) is null everywhere; surrounding white space never counts.
-#}

{#-
    The white space and other characters that cannot be seen at either end of a text, as a regular expression: blanks
    and control characters of Unicode, byte order marks and the like. `ledger/sql.py` has the same for what is not dbt.
-#}
{% macro blanks_around() -%}
    '^[\pZ\pC]+|[\pZ\pC]+$'
{%- endmacro %}

{#-
    A text without white space around it; null when nothing is left. Most texts begin and end with what can be seen. A
    `nullif` around all of it would have DuckDB plan all of it twice, which takes three times as long for wide tables.
-#}
{% macro trimmed(expression) -%}
    case when left({{ expression }}, 1) between '!' and '~' and right({{ expression }}, 1) between '!' and '~' then {{ expression }} else nullif(regexp_replace({{ expression }}, {{ rollcall.blanks_around() }}, '', 'g'), '') end
{%- endmacro %}

{#- The records of a raw table, each field without white space around it. Base views read the fields of these. -#}
{% macro trimmed_records(raw) -%}
    select
        file_id,
        record_number,
        line_number,
        {{ rollcall.trimmed('columns(* exclude (file_id, layout_version, record_number, line_number, byte_offset, metadata))') }}
    from {{ raw }}
{%- endmacro %}

{#- True when the whole text is of the form that a regular expression describes. -#}
{% macro matches(expression, pattern) -%}
    regexp_full_match({{ expression }}, '{{ pattern }}')
{%- endmacro %}

{% macro text(column) -%}
    records."{{ column }}"
{%- endmacro %}

{#- The day that a column names; null where it is no date, or one that cannot be. -#}
{% macro date(column) -%}
    case when {{ rollcall.is_plausible(rollcall.text(column)) }} then {{ rollcall.day_of(rollcall.text(column)) }} end
{%- endmacro %}

{#- The day that a column names whose layout writes dates as `MM/DD/YYYY`; as `date`. -#}
{% macro us_date(column) -%}
    {%- set iso = rollcall.iso_of(rollcall.text(column)) -%}
    case when {{ rollcall.matches(rollcall.text(column), '[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}') }} and {{ rollcall.is_plausible(iso) }} then try_cast({{ iso }} as date) end
{%- endmacro %}

{#- The day that a column names whose layout writes dates as `MMDDYYYY`, of which a spreadsheet drops the first zero. -#}
{% macro digit_date(column) -%}
    {%- set iso = rollcall.iso_of_digits(rollcall.text(column)) -%}
    case when {{ rollcall.matches(rollcall.text(column), '[0-9]{7,8}') }} and {{ rollcall.is_plausible(iso) }} then try_cast({{ iso }} as date) end
{%- endmacro %}

{#- The time of day that a column of the type `time` names, as HH:MM:SS or H:MM:SS. -#}
{% macro time_of_day(column) -%}
    case when {{ rollcall.matches(rollcall.text(column), '([01]?[0-9]|2[0-3])(:[0-5][0-9]){2}') }} then cast(lpad({{ rollcall.text(column) }}, 8, '0') as time) end
{%- endmacro %}

{#- The instant that a column names, as UTC: of a date the end of that day, in the source's time zone. -#}
{% macro instant(column) -%}
    case when {{ rollcall.is_plausible(rollcall.text(column)) }} then coalesce({{ rollcall.time_of(rollcall.text(column), 'files.naive_time_zone') }}, {{ rollcall.end_of_day(column) }}) end
{%- endmacro %}

{#-
    The instant at which the day of a column that holds a date ends in the source's time zone, as UTC; the last day that
    a date can name, 9999-12-31, counts as over when it begins.
-#}
{% macro end_of_day(column) -%}
    {{ rollcall.start_of_day(rollcall.date(column) ~ ' + cast(' ~ rollcall.text(column) ~ " < '9999-12-31' as integer)", 'files.time_zone') }}
{%- endmacro %}

{#- How exactly a column says when it was: `date` or `instant`. -#}
{% macro precision(column) -%}
    case when {{ rollcall.date(column) }} is not null then 'date' when {{ rollcall.instant(column) }} is not null then 'instant' end
{%- endmacro %}

{#- True when a column names a day after that of the export, in the source's time zone, or a later instant. -#}
{% macro is_after_export(column) -%}
    coalesce({{ rollcall.date(column) }} > files.export_date, {{ rollcall.instant(column) }} > files.exported_at, false)
{%- endmacro %}

{#- From when on an event counts, as UTC: from its export on, or when it happens, where that is later. -#}
{% macro usable_at(column) -%}
    case when {{ rollcall.is_after_export(column) }} then {{ rollcall.instant(column) }} else files.exported_at end
{%- endmacro %}

{#-
    The instant of a day of `us_date` and, where there is one, a time of `time_of_day`, in the time zone of the source, as
    UTC: without a time the end of that day, as of `instant`.
-#}
{% macro local_instant(day, time=none) -%}
    {%- set end = rollcall.start_of_day(rollcall.day_after(rollcall.us_date(day)), 'files.time_zone') -%}
    {%- set begun = rollcall.start_of_day(rollcall.day_at(rollcall.us_date(day), rollcall.time_of_day(time)), 'files.time_zone') if time -%}
    {{ 'coalesce(' ~ begun ~ ', ' ~ end ~ ')' if time else end }}
{%- endmacro %}

{#- How exactly both say when it was: `date` or `instant`. -#}
{% macro local_precision(day, time=none) -%}
    case when {{ rollcall.us_date(day) }} is not null then {{ 'if(' ~ rollcall.time_of_day(time) ~ " is null, 'date', 'instant')" if time else "'date'" }} end
{%- endmacro %}

{#- True when both name a day after that of the export, in the source's time zone, or a later instant. -#}
{% macro is_local_after_export(day, time=none) -%}
    coalesce({{ rollcall.us_date(day) }} > files.export_date{% if time %} or ({{ rollcall.time_of_day(time) }} is not null and {{ rollcall.local_instant(day, time) }} > files.exported_at){% endif %}, false)
{%- endmacro %}

{#- From when on what happened then counts, as `usable_at`. -#}
{% macro local_usable_at(day, time=none) -%}
    case when {{ rollcall.is_local_after_export(day, time) }} then {{ rollcall.local_instant(day, time) }} else files.exported_at end
{%- endmacro %}

{% macro number(column) -%}
    {{ rollcall.number_of(rollcall.text(column)) }}
{%- endmacro %}

{#- The number that a text is. -#}
{% macro number_of(expression) -%}
    case when {{ rollcall.matches(expression, '[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?') }} then try_cast({{ expression }} as decimal(18, 6)) end
{%- endmacro %}

{% macro integer(column) -%}
    case when {{ rollcall.matches(rollcall.text(column), '[+-]?[0-9]+([.]0+)?') }} then try_cast({{ rollcall.text(column) }} as integer) end
{%- endmacro %}

{#- A year; of a school year with both its years, such as 2026-2027 or 2026/27, the one in which it ends. -#}
{% macro year(column) -%}
    {%- set following = 'try_cast(left(' ~ rollcall.text(column) ~ ', 4) as integer) + 1' -%}
    case when {{ rollcall.matches(rollcall.text(column), '[0-9]{4}') }} then try_cast({{ rollcall.text(column) }} as integer) when {{ rollcall.matches(rollcall.text(column), '[0-9]{4} ?[-/–] ?([0-9]{2}|[0-9]{4})') }} and ends_with(cast({{ following }} as varchar), regexp_extract({{ rollcall.text(column) }}, '[0-9]+$')) then {{ following }} end
{%- endmacro %}

{% macro boolean(column) -%}
    case lower({{ rollcall.text(column) }}) when 'true' then true when 'false' then false end
{%- endmacro %}

{#- One of the values, whatever its case; a text that is none of them stands as it is written. -#}
{% macro one_of(column, values) -%}
    case lower({{ rollcall.text(column) }}) {%- for value in values %} when '{{ value | lower }}' then '{{ value }}' {%- endfor %} else {{ rollcall.text(column) }} end
{%- endmacro %}

{#- Items are separated by commas; blank items are dropped. A blank cell is an empty list. -#}
{% macro text_list(column) -%}
    list_filter(list_transform(string_split(coalesce({{ rollcall.text(column) }}, ''), ','), lambda item: {{ rollcall.trimmed('item') }}), lambda item: item is not null)
{%- endmacro %}

{#-
    The key of a record that several columns identify, as one text: theirs with ` | ` between them, in the order of the
    raw table; null where any is. `parts`: SQL of each.
-#}
{% macro record_key(parts) -%}
    {%- for part in parts -%}
        replace(cast({{ part }} as varchar), '|', '||'){{ " || ' | ' || " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- The key of the record itself, joinable alone: the exporting source and the id. -#}
{% macro own_key(column) -%}
    files.source_id || ':' || {{ rollcall.text(column) }}
{%- endmacro %}

{#- The key of a record of the roster that the column refers to, joinable alone: the roster's source and the id. -#}
{% macro roster_key(column) -%}
    files.roster_source_id || ':' || {{ rollcall.text(column) }}
{%- endmacro %}

{#- The keys of records of the roster, for a column that lists their ids. -#}
{% macro roster_keys(column) -%}
    list_transform({{ rollcall.text_list(column) }}, lambda item: files.roster_source_id || ':' || item)
{%- endmacro %}

{#- True for a record that its source deletes. -#}
{% macro is_deletion(column) -%}
    coalesce(lower({{ rollcall.text(column) }}) in ('tobedeleted', 'inactive'), false)
{%- endmacro %}

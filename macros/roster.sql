{#- Whose students, classes and enrollments others refer to: sources of OneRoster, and of Canvas where they have none. -#}

{#- The sources whose SIS CSV files of Canvas are a roster: they are their own roster, and send no OneRoster. -#}
{% macro canvas_rosters() -%}
    select source_id from {{ ref('sources') }}
        where
            roster_source_id = source_id
            and list_contains(string_split(families, '|'), 'canvas')
            and not list_contains(string_split(families, '|'), 'oneroster')
{%- endmacro %}

{#- What rosters of Canvas add to the rows of a mart. `rows`: the model that has them in its shape. -#}
{% macro and_of_canvas(rows) -%}
    {%- if rollcall.is_used('canvas') %}
    union all by name
    select * from {{ ref(rows) }}
    {%- endif %}
{%- endmacro %}

{#- The rows of a mart that records of OneRoster make. -#}
{% macro of_oneroster(mart) -%}
    {%- if rollcall.is_used('canvas') -%}
    (select * from {{ ref(mart) }} where source_id not in ({{ rollcall.canvas_rosters() }}))
    {%- else -%}
    {{ ref(mart) }}
    {%- endif -%}
{%- endmacro %}

{#- The feed that lists the users of a roster. `source_id`: SQL of the roster's source. -#}
{% macro roster_feed(source_id) -%}
    {%- if rollcall.is_used('canvas') -%}
    case when {{ source_id }} in ({{ rollcall.canvas_rosters() }}) then 'canvas/users' else 'oneroster/users' end
    {%- else -%}
    'oneroster/users'
    {%- endif -%}
{%- endmacro %}

{#-
    Whether a row of Canvas counts, and why not, in the words of a roster. `row`: it. `reasons`: status, in small letters, to
    the reason; a status that is no word of Canvas keeps a row, and is warned of.
-#}
{% macro roster_state(row, reasons) -%}
    {%- set reason -%}
    coalesce({{ row }}.inactive_reason, case lower({{ row }}.status) {%- for status, reason in reasons.items() %} when '{{ status }}' then '{{ reason }}' {%- endfor %} end)
    {%- endset -%}
    {{ reason }} as inactive_reason,
    {{ reason }} is null as is_active
{%- endmacro %}

{#- What rows of every mart say of their record. -#}
{% macro record_columns(row) -%}
    {%- for column in [
        'source_id', 'roster_source_id', 'modified_at', 'version_at', 'exported_at', 'landed_at', 'visible_at', 'file_id',
        'record_number', 'line_number',
    ] %}
    {{ row }}.{{ column }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- The role of a user of Canvas in the words of OneRoster; a role that a district made itself is none. -#}
{% macro roster_role(role) -%}
    case lower({{ role }})
            when 'student' then 'student'
            when 'teacher' then 'teacher'
            when 'ta' then 'aide'
            when 'observer' then 'guardian'
            when 'designer' then 'administrator'
        end
{%- endmacro %}

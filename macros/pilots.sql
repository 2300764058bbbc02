{#-
    Pilots: sources that build alone. A build of live tables sees live sources; a build of a pilot, for which `rollcall
    cycle` passes its name as the variable `pilot`, sees that source, and reads everything else from the live tables.
-#}

{#- The pilot that is built; none where live tables are. -#}
{% macro pilot() -%}
    {% do return(var('pilot', none)) %}
{%- endmacro %}

{#- True for the stages in which the tables that are built see the files of a source. -#}
{% macro is_seen(source_id, stage) -%}
    {%- if rollcall.pilot() -%}
        {{ source_id }} = '{{ rollcall.pilot() | replace("'", "''") }}' and {{ stage }} in ('pilot', 'live')
    {%- else -%}
        {{ stage }} = 'live'
    {%- endif -%}
{%- endmacro %}

{#- True for a cycle within the run of cycles that a row `stages` of stg_landing__stages is. -#}
{% macro is_in_run(cycle_id) -%}
    {{ cycle_id }} >= stages.from_cycle_id and coalesce({{ cycle_id }} < stages.to_cycle_id, true)
{%- endmacro %}

{#- True where the tables that are built read files of OneRoster: live ones always do, those of a pilot if it sends some. -#}
{% macro reads_oneroster() -%}
    {% do return(not rollcall.pilot() or rollcall.is_used('oneroster')) %}
{%- endmacro %}

{#-
    A table that a pilot reads of live sources, too: its own rows, where it has some, beside those of live sources. So
    students, classes and decisions of teachers are those of the district, whoever sends the rest.
    `model`: a model of `staging` or `core` whose rows have `source_id`. `is_own`: whether a pilot that sends no files of
    OneRoster has rows of its own there.
-#}
{% macro with_live(model, is_own=false) -%}
    {%- if not rollcall.pilot() or not (is_own or rollcall.is_used('oneroster')) -%}
        {{ ref(model) }}
    {%- else -%}
        (
            select * from {{ ref(model) }}
            union all by name
            select * from {{ rollcall.live(model) }} where source_id <> '{{ rollcall.pilot() | replace("'", "''") }}'
        )
    {%- endif -%}
{%- endmacro %}

{#- A table of live sources, for a pilot that has one of the same name. -#}
{% macro live(model) -%}
    {%- set schemas = {'stg_': 'staging', 'int_': 'transform'} -%}
    {%- set schema = 'progression' if model == 'fct_evidence' else schemas.get(model[:4], 'core') -%}
    {{ ref(model).incorporate(path={'schema': schema, 'identifier': model}) }}
{%- endmacro %}

{#-
    The evidence that decides outcomes. Of a pilot its own alone; where the variable `is_with_live` says so, that of live
    sources about its students beside it, as it would be if the pilot were live.
-#}
{% macro deciding_evidence() -%}
    {%- if not var('is_with_live', false) -%}
        {{ ref('fct_evidence') }}
    {%- else -%}
        (
            select * from {{ ref('fct_evidence') }}
            union all by name
            select * from {{ rollcall.live('fct_evidence') }}
            where
                source_id <> '{{ rollcall.pilot() | replace("'", "''") }}'
                and student_key in (
                    select student_key from {{ ref('fct_evidence') }}
                    union all
                    select student_key from {{ rollcall.live('fct_evidence') }}
                    where source_id = '{{ rollcall.pilot() | replace("'", "''") }}'
                )
        )
    {%- endif -%}
{%- endmacro %}

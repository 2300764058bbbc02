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

{#-
    One row per landed file that the tables that are built know: the first cycle that saw it, and the cycle from which on
    its source is frozen, if it is. Part of the model of files.
-#}
{% macro seen_files() -%}
    with stages as (
        select * from {{ ref('stg_landing__stages') }}
    ),

    -- A source that is seen no longer is frozen: what was decided or landed since is not known here.
    sources as (
        select
            source_id,
            case when count(to_cycle_id) = count(*) then max(to_cycle_id) end as frozen_from_cycle_id,
            max(to_job_id) as last_job_id
        from stages
        group by source_id
    ),

    -- What a cycle took while the source was not seen is seen with the first cycle since.
    cycle_files as (
        select
            cycle_files.file_id,
            min(greatest(cycle_files.cycle_id, stages.from_cycle_id)) as first_cycle_id
        from {{ source('landing', 'cycle_files') }} as cycle_files
        inner join {{ source('landing', 'files') }} as files on cycle_files.file_id = files.file_id
        inner join stages
            on files.source_id = stages.source_id and coalesce(cycle_files.cycle_id < stages.to_cycle_id, true)
        group by cycle_files.file_id
    )

    select
        files.file_id,
        cycle_files.first_cycle_id,
        sources.frozen_from_cycle_id
    from {{ source('landing', 'files') }} as files
    inner join sources on files.source_id = sources.source_id
    left join cycle_files on files.file_id = cycle_files.file_id
    where
        cycle_files.file_id is not null
        or sources.frozen_from_cycle_id is null
        or files.job_id <= sources.last_job_id
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
    OneRoster has rows of its own there. What no live source sends is in no live table (variable `not_live`).
-#}
{% macro with_live(model, is_own=false) -%}
    {%- set has_both = (is_own or rollcall.is_used('oneroster')) and model not in var('not_live', []) -%}
    {%- if not rollcall.pilot() or not has_both -%}
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

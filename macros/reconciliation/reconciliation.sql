{#-
    Reconciliation compares what the exports say with what the marts hold, on a path of its own: it reads raw text
    and marts, and shares no parsing, deduplication or join with staging. The SQL is made from the layouts, which say
    in `staged_as` where a column goes; this file is the only place where SQL is made from data.

    What a feed is, feeds.sql says.
-#}

{#- A raw text as a value of its type, read in another way than staging does; null when it cannot be read. -#}
{% macro read_again(text, type) -%}
    {%- if type == 'date' -%}
        case when length(trim({{ text }})) = 10 then try_cast(trim({{ text }}) as date) end
    {%- elif type == 'datetime' -%}
        try_cast(trim({{ text }}) as timestamptz) at time zone 'UTC'
    {%- elif type == 'float' -%}
        try_cast(trim({{ text }}) as decimal(18, 6))
    {%- elif type in ('integer', 'year') -%}
        try_cast(trim({{ text }}) as integer)
    {%- elif type == 'bool' -%}
        try_cast(trim({{ text }}) as boolean)
    {%- elif type in ('list', 'reflist') -%}
        nullif(trim(regexp_replace({{ text }}, ' *,[ ,]*', ',', 'g'), ' ,'), '')
    {%- else -%}
        nullif(trim({{ text }}), '')
    {%- endif -%}
{%- endmacro %}

{#- A column of a mart as it is compared: a list as one text. -#}
{% macro processed_value(column) -%}
    {%- if column.type in ('list', 'reflist') -%}
        nullif(array_to_string(processed.{{ column.name }}, ','), '')
    {%- else -%}
        processed.{{ column.name }}
    {%- endif -%}
{%- endmacro %}

{#- True when the source's text and the mart's value of one column differ; what cannot be read differs from blank. -#}
{% macro values_differ(column) -%}
    {%- set text = 'claimed.' ~ column.name -%}
    {%- if column.is_filled -%}
        coalesce(trim({{ text }}), '') <> '' and {# -#}
    {% endif -%}
    ({{ read_again(text, column.type) }} is distinct from {{ processed_value(column) }}
        {%- if column.type in ('date', 'datetime', 'float', 'integer', 'year', 'bool') %}
            or ({{ processed_value(column) }} is null and coalesce(trim({{ text }}), '') <> '')
        {%- endif -%})
{%- endmacro %}

{#- The same, for a record whose layout has the column. -#}
{% macro differs(feed, column) -%}
    claimed.layout in ({{ layouts_with(feed, column) | join(', ') }}) and {{ values_differ(column) }}
{%- endmacro %}

{#- True when any value differs; the columns of other layouts than the record's are passed over at once. -#}
{% macro any_value_differs(feed, columns) -%}
    {%- set by_layouts = {} -%}
    {%- for column in columns -%}
        {%- do by_layouts.setdefault(layouts_with(feed, column) | join(', '), []).append(values_differ(column)) -%}
    {%- endfor -%}
    {%- for layouts, conditions in by_layouts.items() -%}
        (claimed.layout in ({{ layouts }}) and ({{ conditions | join('\n                or ') }}))
        {{- '\n                or ' if not loop.last -}}
    {%- endfor -%}
{%- endmacro %}

{#- The numbers of the layouts that have a column; a layout's number is its position among the feed's raw tables. -#}
{% macro layouts_with(feed, column) %}
    {% set numbers = [] %}
    {% for version in feed.raw_tables if version in column.source_columns %}
        {% do numbers.append((feed.raw_tables.keys() | list).index(version)) %}
    {% endfor %}
    {% do return(numbers) %}
{% endmacro %}

{#-
    What the files of a feed say, as text. `files`: a relation of files; `only`: a relation of the records to read, all
    without it. A record that breaks the grammar of CSV says no more than its key, where that could be read.
-#}
{% macro claimed(feed, files, only=none) -%}
    {%- for version, raw_table in feed.raw_tables.items() %}
        select
            files.source_id,
            files.file_id,
            files.is_visible,
            records.record_number,
            records.line_number,
            false as is_malformed,
            {{ loop.index0 }} as layout,
            {%- for column in feed.columns %}
            {%- if version in column.source_columns %}
            records."{{ column.raw_columns[version] }}" as {{ column.name }},
            {%- else %}
            cast(null as varchar) as {{ column.name }},
            {%- endif %}
            {%- if column.is_key %}
            nullif(trim(records."{{ column.raw_columns[version] }}"), '') as record_key,
            {%- endif %}
            {%- endfor %}
        from {{ raw_table }} as records
        inner join {{ files }} as files on records.file_id = files.file_id
        {{ reads_only(only) }}
        where
            split_part(records.layout_version, '-', 1) >= '{{ version }}'
            {%- if not loop.last %}
            and split_part(records.layout_version, '-', 1) < '{{ (feed.raw_tables.keys() | list)[loop.index] }}'
            {%- endif %}

        union all
    {%- endfor %}
        select
            files.source_id,
            files.file_id,
            files.is_visible,
            records.record_number,
            records.line_number,
            true as is_malformed,
            null as layout,
            {%- for column in feed.columns %}
            null as {{ column.name }},
            {%- if column.is_key %}
            records.record_key,
            {%- endif %}
            {%- endfor %}
        from {{ source('landing', 'malformed_records') }} as records
        inner join {{ files }} as files on records.file_id = files.file_id
        {{ reads_only(only) }}
        where files.feed = '{{ feed.feed }}'
{%- endmacro %}

{% macro reads_only(only) -%}
    {%- if only -%}
        inner join {{ only }} as wanted
            on records.file_id = wanted.file_id and records.record_number = wanted.record_number
    {%- endif -%}
{%- endmacro %}

{#- What the source calls a column of the mart, in the layout of the record. -#}
{% macro source_column(feed, column) -%}
    case claimed.layout
        {%- for version in feed.raw_tables if version in column.source_columns %}
        when {{ (feed.raw_tables.keys() | list).index(version) }} then '{{ column.source_columns[version] }}'
        {%- endfor %}
    end
{%- endmacro %}

{#- True for a record by which its source deletes. -#}
{% macro claims_deletion() -%}
    coalesce(trim(claimed.is_deleted) in ('tobedeleted', 'inactive'), false)
{%- endmacro %}

{#-
    The records of a feed's files that its mart does not hold as they are, and the mart's active rows that none of
    the records names: one pass, one join. `files`: the relation of the files in scope; where the feed has none, no
    record names any row.
-#}
{% macro records_unmatched(feed, files) -%}
    {%- set key = feed.key -%}
    {%- set compared = feed.columns | selectattr('is_in_mart') | rejectattr('is_key') | list -%}
    {%- set numbers = compared | selectattr('type', 'equalto', 'float') | list -%}
    {%- if feed.columns %}
    select
        coalesce(claimed.source_id, processed.source_id) as source_id,
        '{{ feed.feed }}' as feed,
        coalesce(claimed.record_key, processed.{{ key }}) as record_key,
        claimed.file_id,
        claimed.record_number,
        claimed.line_number,
        coalesce(claimed.is_malformed, false) as is_malformed,
        {{ claims_deletion() }} as is_deletion,
        {{ read_again('claimed.modified_at', 'datetime') }} as modified_at,
        processed.file_id as processed_file_id,
        processed.record_number as processed_record_number,
        processed.is_active,
        list_filter(
            [
                {%- for column in compared %}
                case when not claimed.is_malformed and processed.source_id is not null and {{ differs(feed, column) }} then {
                    'column_name': {{ source_column(feed, column) }},
                    'processed_column': '{{ column.name }}',
                    'source_value': trim(claimed.{{ column.name }}),
                    'processed_value': cast({{ processed_value(column) }} as varchar)
                } end{{ ',' if not loop.last }}
                {%- endfor %}
            ],
            lambda difference: difference is not null
        ) as differences,
        cast([
            {%- for column in numbers %}
            {
                'column_name': '{{ column.name }}',
                'source_number': {{ read_again('claimed.' ~ column.name, 'float') }},
                'processed_number': processed.{{ column.name }}
            }{{ ',' if not loop.last }}
            {%- endfor %}
        ] as struct(column_name varchar, source_number decimal(18, 6), processed_number decimal(18, 6))[]) as numbers
    from ({{ claimed(feed, files) }}) as claimed
    full join {{ feed.mart }} as processed
        on claimed.source_id = processed.source_id and claimed.record_key = processed.{{ key }}
    where
        case
            when claimed.file_id is null then processed.is_active
            when claimed.record_key is null or claimed.is_malformed then true
            when {{ claims_deletion() }} then coalesce(
                processed.is_active
                or claimed.file_id <> processed.file_id
                or claimed.record_number <> processed.record_number, false
            )
            when processed.source_id is null or not processed.is_active then true
            when claimed.is_visible
                and (claimed.file_id <> processed.file_id or claimed.record_number <> processed.record_number) then true
            else {{ any_value_differs(feed, compared) }}
        end
    {%- else %}
    select
        source_id, '{{ feed.feed }}' as feed, {{ key or 'source_id' }} as record_key,
        cast(null as varchar) as file_id, cast(null as bigint) as record_number, cast(null as bigint) as line_number,
        false as is_malformed, false as is_deletion, cast(null as timestamp) as modified_at,
        file_id as processed_file_id, record_number as processed_record_number, is_active,
        cast([] as struct(column_name varchar, processed_column varchar, source_value varchar, processed_value varchar)[]) as differences,
        cast([] as struct(column_name varchar, source_number decimal(18, 6), processed_number decimal(18, 6))[]) as numbers
    from {{ feed.mart }}
    where is_active
    {%- endif %}
{%- endmacro %}

{#-
    The records that rows of a feed's mart say they come from, which are those in `doubts`: does each name the same key,
    and in which columns does it differ from the row? `files`: a relation of all files.
-#}
{% macro origins_read(feed, files, doubts) -%}
    {%- set key = feed.key -%}
    {%- if feed.columns %}
    select
        claimed.source_id,
        '{{ feed.feed }}' as feed,
        claimed.record_key,
        claimed.file_id,
        claimed.record_number,
        {{ claims_deletion() }} as is_deletion,
        {{ read_again('claimed.modified_at', 'datetime') }} as modified_at,
        list_filter(
            [
                {%- for column in feed.columns | selectattr('is_in_mart') | rejectattr('is_key') %}
                case when {{ differs(feed, column) }} then {{ source_column(feed, column) }} end{{ ',' if not loop.last }}
                {%- endfor %}
            ],
            lambda column_name: column_name is not null
        ) as differing_columns
    from ({{ claimed(feed, files, only=doubts) }}) as claimed
    inner join {{ feed.mart }} as processed
        on claimed.file_id = processed.file_id
        and claimed.record_number = processed.record_number
        and claimed.source_id = processed.source_id
        and claimed.record_key = processed.{{ key }}
    {%- else %}
    select
        cast(null as varchar) as source_id, '{{ feed.feed }}' as feed, cast(null as varchar) as record_key,
        cast(null as varchar) as file_id, cast(null as bigint) as record_number, false as is_deletion,
        cast(null as timestamp) as modified_at, cast([] as varchar[]) as differing_columns
    from {{ doubts }}
    where false
    {%- endif %}
{%- endmacro %}

{#- Which of the keys in `doubts` that no record in scope names are named by a record of `files`. -#}
{% macro keys_named(feed, files, doubts) -%}
    {%- if feed.columns %}
    select distinct
        source_id,
        '{{ feed.feed }}' as feed,
        record_key
    from ({{ claimed(feed, files) }}) as claimed
    where (source_id, record_key) in (
        select (source_id, record_key) from {{ doubts }} where feed = '{{ feed.feed }}' and file_id is null
    )
    {%- else %}
    select cast(null as varchar) as source_id, '{{ feed.feed }}' as feed, cast(null as varchar) as record_key
    from {{ files }}
    cross join {{ doubts }}
    where false
    {%- endif %}
{%- endmacro %}

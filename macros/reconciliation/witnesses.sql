{#- What else is asked of the marts, feed by feed; made from the layouts like the comparison itself. -#}

{#- How many rows of a mart say that they come from a file. -#}
{% macro rows_of_files(feed) -%}
    select
        file_id,
        count(*) as row_count
    from {{ feed.mart }}
    group by file_id
{%- endmacro %}

{#- Keys that a mart holds more than once, among the rows that come from `files`. -#}
{% macro rows_repeated(feed, files) -%}
    select
        source_id,
        '{{ feed.feed }}' as feed,
        {{ feed.key or 'null' }} as record_key,
        min(file_id) as file_id,
        min(record_number) as record_number,
        count(*) as row_count
    from {{ feed.mart }}
    where file_id in (select file_id from {{ files }})
    group by all
    having count(*) > 1
{%- endmacro %}

{#- References of active rows of a mart to records that have not come. -#}
{% macro references_awaited(feed) -%}
    {%- set references = feed.columns | selectattr('type', 'in', ('ref', 'reflist')) | selectattr('is_in_mart') | list -%}
    select
        source_id,
        '{{ feed.feed }}' as feed,
        {{ feed.key or 'null' }} as record_key,
        file_id,
        record_number,
        line_number,
        awaited as processed_column,
        case awaited
            {%- for column in references %}
            when '{{ column.name }}' then {{ processed_value(column) }}
            {%- endfor %}
            when '' then ''
        end as source_value
    from {{ feed.mart }} as processed
    cross join unnest(processed.awaiting) as list (awaited)
    where processed.is_active
{%- endmacro %}

{#- For each number of a feed: its sum over the records in scope that delete nothing, and over the active rows of the mart. -#}
{% macro numbers_summed(feed, files) -%}
    {%- set numbers = feed.columns | selectattr('type', 'equalto', 'float') | selectattr('is_in_mart') | list -%}
    {%- for column in numbers %}
    select
        source_id,
        '{{ feed.feed }}' as feed,
        '{{ column.name }}' as processed_column,
        sum(source_number) as source_sum,
        sum(processed_number) as processed_sum
    from (
        select
            claimed.source_id,
            {{ read_again('claimed.' ~ column.name, 'float') }} as source_number,
            null as processed_number
        from ({{ claimed(feed, files) }}) as claimed
        where not {{ claims_deletion() }}
        union all
        select
            source_id,
            null as source_number,
            {{ column.name }} as processed_number
        from {{ feed.mart }}
        where is_active
    )
    group by source_id
    {{ 'union all' if not loop.last }}
    {%- else %}
    select
        cast(null as varchar) as source_id, '{{ feed.feed }}' as feed, cast(null as varchar) as processed_column,
        cast(null as decimal(38, 6)) as source_sum, cast(null as decimal(38, 6)) as processed_sum
    from {{ files }}
    where false
    {%- endfor %}
{%- endmacro %}

{#- The staged rows of the keys in `doubts`: where they come from, and their values as text. -#}
{% macro staged_rows(feed, doubts) -%}
    {%- set compared = feed.columns | selectattr('is_in_mart') | rejectattr('is_key') | list -%}
    select
        processed.source_id,
        '{{ feed.feed }}' as feed,
        processed.{{ feed.key or 'source_id' }} as record_key,
        processed.file_id,
        processed.record_number,
        [
            {%- for column in compared %}
            {'processed_column': '{{ column.name }}', 'staged_value': cast({{ processed_value(column) }} as varchar)}{{ ',' if not loop.last }}
            {%- endfor %}
            {%- if not compared %}
            {'processed_column': '', 'staged_value': ''}
            {%- endif %}
        ] as staged_values
    from {{ feed.staged }} as processed
    inner join {{ doubts }} as doubts
        on
            doubts.feed = '{{ feed.feed }}'
            and processed.source_id = doubts.source_id
            and processed.{{ feed.key or 'source_id' }} = doubts.record_key
{%- endmacro %}

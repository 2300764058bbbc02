{#- Expressions that every staged record shares. -#}

{#- Where a record comes from and which clocks it carries; for a join of `records` with `files`. -#}
{% macro lineage() -%}
    files.source_id,
        files.roster_source_id,
        files.feed,
        records.file_id,
        records.record_number,
        records.line_number,
        files.exported_at,
        files.landed_at,
        files.visible_at,
        files.is_new
{%- endmacro %}

{#- The columns by which any record is judged, whatever its feed. -#}
{% macro verdict_columns() -%}
    source_id, feed, file_id, record_number, line_number, record_key, is_new, is_rejected, violations, content_hash
{%- endmacro %}

{#- The columns by which presence is decided, whatever the feed. -#}
{% macro presence_columns(feed, key) -%}
    source_id, '{{ feed }}' as feed, {{ key }} as record_key, is_deleted, file_id, exported_at
{%- endmacro %}

{#- The moment a version of a record counts from; never after the export that carried it. -#}
{% macro version_at(modified_at, exported_at) -%}
    least(coalesce({{ modified_at }}, {{ exported_at }}), {{ exported_at }})
{%- endmacro %}

{#- True for a record that its source deletes. -#}
{% macro is_deletion(column) -%}
    coalesce({{ text(column) }} in ('tobedeleted', 'inactive'), false)
{%- endmacro %}

{#- One text that is equal for equal columns and different otherwise: each value with its length, null apart. -#}
{% macro content_hash(columns) -%}
    md5(concat(
            {%- for column in columns %}
            coalesce(length(cast({{ column }} as varchar)) || ':' || cast({{ column }} as varchar), '-'){{ ',' if not loop.last }}
            {%- endfor %}
        ))
{%- endmacro %}

{#- In an incremental run: true when `versions` holds a newer version than the table itself does. -#}
{% macro is_newer_than_stored(key, versions) -%}
    not exists (
        select 1
        from {{ this }} as stored
        where
            stored.source_id = {{ versions }}.source_id
            and stored.{{ key }} = {{ versions }}.{{ key }}
            and (stored.version_at, stored.exported_at) >= ({{ versions }}.version_at, {{ versions }}.exported_at)
    )
{%- endmacro %}

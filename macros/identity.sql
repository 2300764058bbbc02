{#- What tells students apart whom several systems know by ids of their own. -#}

{#-
    The families of assessments that a source declares: their students have other ids than the roster's. Those that a
    district's project has of its own come last.
-#}
{% macro assessment_families() -%}
    {% do return(['nwea', 'iready', 'star', 'canvas', 'state'] | select('in', var('families')) | list + rollcall.own_assessments() | list) %}
{%- endmacro %}

{#-
    The families of a district's project that have a model `int_assessment_results__<family>`, each with its feeds and
    the marts of these; `rollcall layouts compare` writes them there.
-#}
{% macro own_assessments() -%}
    {% do return(adapter.dispatch('own_assessments', 'rollcall')()) %}
{%- endmacro %}

{% macro default__own_assessments() -%}
    {% do return({}) %}
{%- endmacro %}

{% macro has_assessments() -%}
    {% do return(rollcall.assessment_families() | length > 0) %}
{%- endmacro %}

{#- A name as it is compared: letters alone, without case and accents; null when nothing is left. Most have nothing else. -#}
{% macro compared_name(name) -%}
    case when regexp_full_match({{ name }}, '[A-Za-z]+') then lower({{ name }}) else nullif(regexp_replace(lower(strip_accents({{ name }})), '[^\pL]', '', 'g'), '') end
{%- endmacro %}

{#- What a source said last of a field of a student, of several at once the greatest; for rows of `said`. -#}
{% macro newest_word(column) -%}
    arg_max({{ column }}, (exported_at, said_at, {{ column }}))
{%- endmacro %}

{#- A grade as it is compared: in capitals and without leading zeros; kindergarten, however it is written, is `KG`. -#}
{% macro compared_grade(grade) -%}
    case
            when upper({{ grade }}) in ('K', 'KG', 'KINDERGARTEN', '0', '00') then 'KG'
            else ltrim(upper({{ grade }}), '0')
        end
{%- endmacro %}

{#- The name of a school as it is compared: its letters and digits, without case and accents. -#}
{% macro compared_school(name) -%}
    nullif(regexp_replace(lower(strip_accents({{ name }})), '[^\pL\pN]', '', 'g'), '')
{%- endmacro %}

{#-
    The columns of each source and feed that hold ids of students, as identity_columns.csv has them: a list in the
    order in which they are tried.
-#}
{% macro id_columns() -%}
    select
        source_id,
        feed,
        array_agg({
            'column_name': column_name, 'assigner': assigner, 'id_kind': id_kind, 'priority': priority,
            'normalise': coalesce(normalise, 'trim'), 'is_trusted_alone': is_trusted_alone
        } order by priority, column_name) as id_columns
    from {{ ref('identity_columns') }}
    group by source_id, feed
{%- endmacro %}

{#- What programs write where there is no id; a student who has one of these for an id is linked by another. -#}
{% macro words_for_no_id() -%}
    'null', '(null)', 'none', 'nil', 'nan', 'na', 'n/a', '#n/a', 'undefined'
{%- endmacro %}

{#-
    The declared ids of a row, in the order in which they are tried; leading zeros count. Blank ones are left out, and words
    that stand for none.
    `values`: maps the columns of the file to SQL. For a join with `id_columns`.
-#}
{% macro declared_ids(values) -%}
    list_filter(
        list_transform(
            id_columns,
            lambda id_column: {
                'assigner': id_column.assigner,
                'id_kind': id_column.id_kind,
                'priority': id_column.priority,
                'is_trusted_alone': id_column.is_trusted_alone,
                'id_value': {{ rollcall.compared_id('id_column', rollcall.value_of('id_column.column_name', values)) }}
            }
        ),
        lambda declared: lower(declared.id_value) not in ({{ rollcall.words_for_no_id() }})
    )
{%- endmacro %}

{% macro value_of(name, values) -%}
    case {{ name }} {%- for column, value in values.items() %} when '{{ column }}' then {{ value }} {%- endfor %} end
{%- endmacro %}

{#- An id as it is compared, by the way that identity_columns.csv names. -#}
{% macro compared_id(item, value) -%}
    nullif(case
                    when {{ item }}.normalise = 'strip_dot_zero' then regexp_replace({{ value }}, '[.]0+$', '')
                    when {{ item }}.normalise = 'upper' then upper({{ value }})
                    when starts_with({{ item }}.normalise, 'strip_prefix:')
                        then regexp_replace({{ value }}, '^' || regexp_escape(substr({{ item }}.normalise, 14)), '')
                    else {{ value }}
                end, '')
{%- endmacro %}

{#- Students of a roster who were merged into another by a decision: their key, and that of whom they are. -#}
{% macro merged_students() -%}
    select
        source_student_key as user_key,
        student_key
    from {{ ref('int_student_decisions') }}
    where decision = 'merge'
{%- endmacro %}

{#- The student as the source knows one: by the first of the declared ids; null without any. -#}
{% macro source_student_key(ids) -%}
    source_id || ':' || {{ ids }}[1].assigner || ':' || {{ ids }}[1].id_kind || ':' || {{ ids }}[1].id_value
{%- endmacro %}

{#- What results of every vendor have: whose and whence they are, and when. -#}
{% macro assessment_columns(results) -%}
    {%- for column in [
        'source_id', 'roster_source_id', 'feed', 'student_ids', 'data_year', 'event_at', 'event_precision', 'usable_at',
        'version_at', 'exported_at', 'visible_at', 'is_active', 'file_id', 'record_number', 'line_number',
    ] %}
    {{ results }}.{{ column }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#-
    A part of a test as one value, so that a wide record can be made long; of a whole test the part is null. `place`: which
    columns of the record it stands in, since what a vendor calls it may be blank, or be the name of two parts.
-#}
{% macro part_of_test(place, part, score, level) -%}
    {'place': '{{ place }}', 'part': {{ part }}, 'score': {{ score }}, 'level': {{ level }}}
{%- endmacro %}

{#- A part of a test that a file only numbers, as one value; of a whole test the slot is null. What it is of, slot_meanings.csv says. -#}
{% macro slot_of_test(slot, score='null', level='null', percent='null') -%}
    {'slot': {{ "'" ~ slot ~ "'" if slot else 'null' }}, 'slot_score': {{ score }}, 'slot_level': {{ level }}, 'slot_percent': {{ percent }}}
{%- endmacro %}

{#- The level of a reporting category of Indiana, whichever column holds it: a record is of one program alone. -#}
{% macro ilearn_level(category) -%}
    coalesce(category_{{ category }}_level
        {%- if category <= 4 %}, alternate_{{ category }}_level{% endif %}
        {%- if category <= 3 %}, check_{{ category }}_level, iread_{{ category }}_level{% endif %})
{%- endmacro %}

{#- The share of right answers in it; of the last categories none is exported. -#}
{% macro ilearn_percent(category) -%}
    {{ 'category_' ~ category ~ '_percent' if category <= 3 else 'null' }}
{%- endmacro %}

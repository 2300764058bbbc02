{#- What differs between engines. DuckDB is the default; another engine overrides by `<engine>__<name>`. -#}

{% macro matches(expression, pattern) -%}
    {{ adapter.dispatch('matches', 'rollcall')(expression, pattern) }}
{%- endmacro %}

{% macro default__matches(expression, pattern) -%}
    regexp_full_match({{ expression }}, '{{ pattern }}')
{%- endmacro %}

{% macro utc_instant(expression) -%}
    {{ adapter.dispatch('utc_instant', 'rollcall')(expression) }}
{%- endmacro %}

{#- A text without a zone is UTC; a plain cast to timestamp would drop the offset instead of applying it. -#}
{% macro default__utc_instant(expression) -%}
    case
        when {{ matches(expression, '\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}(:?\d{2})?)?)?') }}
            then try_cast({{ expression }} as timestamptz) at time zone 'UTC'
    end
{%- endmacro %}

{% macro split_list(expression) -%}
    {{ adapter.dispatch('split_list', 'rollcall')(expression) }}
{%- endmacro %}

{#- Items are separated by commas; blank items are dropped. A blank cell is an empty list. -#}
{% macro default__split_list(expression) -%}
    list_filter(list_transform(string_split(coalesce({{ expression }}, ''), ','), lambda item: trim(item)), lambda item: item <> '')
{%- endmacro %}

{% macro violation_list(checks) -%}
    {{ adapter.dispatch('violation_list', 'rollcall')(checks) }}
{%- endmacro %}

{% macro default__violation_list(checks) -%}
    case
        when
            {%- for check in checks %}
            ({{ check.condition }}){{ ' or' if not loop.last }}
            {%- endfor %}
            then list_filter(
                [
                    {%- for check in checks %}
                    case
                        when {{ check.condition }}
                            then {'code': '{{ check.code }}', 'column_name': '{{ check.column }}', 'value': "{{ check.column }}"}
                    end{{ ',' if not loop.last }}
                    {%- endfor %}
                ],
                lambda violation: violation is not null
            )
        else cast([] as struct(code varchar, column_name varchar, "value" varchar)[])
    end
{%- endmacro %}

{#- The one violation of a record that repeats another of its file. -#}
{% macro repeat_violation(is_conflict, record_key) -%}
    {{ adapter.dispatch('repeat_violation', 'rollcall')(is_conflict, record_key) }}
{%- endmacro %}

{% macro default__repeat_violation(is_conflict, record_key) -%}
    [{
            'code': case when {{ is_conflict }} then 'DUPLICATE_KEY_CONFLICT' else 'DUPLICATE_RECORD' end,
            'column_name': cast(null as varchar),
            'value': {{ record_key }}
        }]
{%- endmacro %}

{#- The names of the columns whose condition holds, as a list; `conditions` maps column to condition. -#}
{% macro columns_where(conditions) -%}
    {{ adapter.dispatch('columns_where', 'rollcall')(conditions) }}
{%- endmacro %}

{% macro default__columns_where(conditions) -%}
    list_filter(
            [
                {%- for column, condition in conditions.items() %}
                case when {{ condition }} then '{{ column }}' end{{ ',' if not loop.last }}
                {%- endfor %}
            ],
            lambda column_name: column_name is not null
        )
{%- endmacro %}

{#- The instant at which a calendar day ends in a time zone, as UTC. -#}
{% macro end_of_day(date, time_zone) -%}
    {{ adapter.dispatch('end_of_day', 'rollcall')(date, time_zone) }}
{%- endmacro %}

{% macro default__end_of_day(date, time_zone) -%}
    cast({{ date }} + 1 as timestamp) at time zone {{ time_zone }} at time zone 'UTC'
{%- endmacro %}

{#- Hours from one instant to a later one, with fractions; negative when the second is the earlier. -#}
{% macro hours_between(start, stop) -%}
    {{ adapter.dispatch('hours_between', 'rollcall')(start, stop) }}
{%- endmacro %}

{% macro default__hours_between(start, stop) -%}
    round(epoch({{ stop }} - {{ start }}) / 3600, 2)
{%- endmacro %}

{#- The value below which that share (0 to 1) of the rows lies, between two rows in proportion. -#}
{% macro percentile(expression, share) -%}
    {{ adapter.dispatch('percentile', 'rollcall')(expression, share) }}
{%- endmacro %}

{% macro default__percentile(expression, share) -%}
    round(quantile_cont({{ expression }}, {{ share }}), 2)
{%- endmacro %}

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

{#- The rows of a group for which the condition holds, as a list sorted by the columns; null when there is none. -#}
{% macro sorted_rows(columns, condition) -%}
    {{ adapter.dispatch('sorted_rows', 'rollcall')(columns, condition) }}
{%- endmacro %}

{% macro default__sorted_rows(columns, condition) -%}
    list_sort(list(struct_pack(
            {%- for column in columns %}{{ column }} := {{ column }}{{ ', ' if not loop.last }}{% endfor -%}
        )) filter ({{ condition }}))
{%- endmacro %}

{#- The items of a list for which the condition, which calls each of them `item`, holds; in their order. -#}
{% macro items_where(items, condition) -%}
    {{ adapter.dispatch('items_where', 'rollcall')(items, condition) }}
{%- endmacro %}

{% macro default__items_where(items, condition) -%}
    list_filter({{ items }}, lambda item: {{ condition }})
{%- endmacro %}

{#- One field of a row that is an item of a list. -#}
{% macro field_of(item, field) -%}
    {{ adapter.dispatch('field_of', 'rollcall')(item, field) }}
{%- endmacro %}

{% macro default__field_of(item, field) -%}
    struct_extract({{ item }}, '{{ field }}')
{%- endmacro %}

{#- One field of every row of a list, in their order. -#}
{% macro items_of(items, field) -%}
    {{ adapter.dispatch('items_of', 'rollcall')(items, field) }}
{%- endmacro %}

{% macro default__items_of(items, field) -%}
    list_transform({{ items }}, lambda item: {{ field_of('item', field) }})
{%- endmacro %}

{#-
    A decimal with nine places, rounded half up. The division passes through a float of at least fifteen digits,
    so a quotient that has no more than nine places comes out exact.
-#}
{% macro quotient(numerator, denominator) -%}
    {{ adapter.dispatch('quotient', 'rollcall')(numerator, denominator) }}
{%- endmacro %}

{% macro default__quotient(numerator, denominator) -%}
    cast(cast({{ numerator }} as double) / cast({{ denominator }} as double) as decimal(18, 9))
{%- endmacro %}

{#- A decimal rounded half up to as many places as a column says, 0 to 4. -#}
{% macro round_half_up(expression, digits) -%}
    {{ adapter.dispatch('round_half_up', 'rollcall')(expression, digits) }}
{%- endmacro %}

{% macro default__round_half_up(expression, digits) -%}
    case {{ digits }}
            when 0 then cast(round({{ expression }}, 0) as decimal(18, 4))
            when 1 then cast(round({{ expression }}, 1) as decimal(18, 4))
            when 2 then cast(round({{ expression }}, 2) as decimal(18, 4))
            when 3 then cast(round({{ expression }}, 3) as decimal(18, 4))
            when 4 then cast(round({{ expression }}, 4) as decimal(18, 4))
        end
{%- endmacro %}

{#- True when the condition holds for the first evidence, the first two, ... or all of it; `prefix` names each part. -#}
{% macro holds_for_any_prefix(percents, condition) -%}
    {{ adapter.dispatch('holds_for_any_prefix', 'rollcall')(percents, condition) }}
{%- endmacro %}

{% macro default__holds_for_any_prefix(percents, condition) -%}
    list_bool_or(list_transform(range(1, len({{ percents }}) + 1), lambda length: {{ condition | replace('prefix', percents ~ '[:length]') }}))
{%- endmacro %}

{#- Each percent moves the score towards itself by the weight; the first one is where it starts. -#}
{% macro decaying_average(percents, weight) -%}
    {{ adapter.dispatch('decaying_average', 'rollcall')(percents, weight) }}
{%- endmacro %}

{% macro default__decaying_average(percents, weight) -%}
    list_reduce(
            {{ percents }},
            lambda average, percent: cast(0.01 * ({{ weight }} * percent + (100 - {{ weight }}) * average) as decimal(18, 9))
        )
{%- endmacro %}

{#- A number that is equal for equal columns and, but for chance, different otherwise. -#}
{% macro fingerprint(columns) -%}
    {{ adapter.dispatch('fingerprint', 'rollcall')(columns) }}
{%- endmacro %}

{% macro default__fingerprint(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}

{#- The fingerprint of a set of rows, whatever their order: the sum of theirs. -#}
{% macro fingerprint_of_all(fingerprint) -%}
    {{ adapter.dispatch('fingerprint_of_all', 'rollcall')(fingerprint) }}
{%- endmacro %}

{% macro default__fingerprint_of_all(fingerprint) -%}
    cast(coalesce(sum({{ fingerprint }}), 0) as decimal(38, 0))
{%- endmacro %}

{#- The instant so many days before another; null when the number of days is. -#}
{% macro days_before(instant, days) -%}
    {{ adapter.dispatch('days_before', 'rollcall')(instant, days) }}
{%- endmacro %}

{% macro default__days_before(instant, days) -%}
    {{ instant }} - to_days({{ days }})
{%- endmacro %}

{#- The instant so many days after another; null when the number of days is. -#}
{% macro days_after(instant, days) -%}
    {{ adapter.dispatch('days_after', 'rollcall')(instant, days) }}
{%- endmacro %}

{% macro default__days_after(instant, days) -%}
    {{ instant }} + to_days({{ days }})
{%- endmacro %}

{#- True when every item of a list is in another; a list that is null has none. -#}
{% macro are_all_among(items, others) -%}
    {{ adapter.dispatch('are_all_among', 'rollcall')(items, others) }}
{%- endmacro %}

{% macro default__are_all_among(items, others) -%}
    list_has_all(coalesce({{ others }}, []), {{ items }})
{%- endmacro %}

{#- How two lists of columns differ, in words. -#}
{% macro columns_compared(before, after) -%}
    {{ adapter.dispatch('columns_compared', 'rollcall')(before, after) }}
{%- endmacro %}

{% macro default__columns_compared(before, after) -%}
    case
                when {{ before }} = {{ after }} then 'The same columns.'
                when list_sort({{ before }}) = list_sort({{ after }}) then 'The same columns in another order.'
                else
                    concat_ws(
                        ' ',
                        'New: ' || nullif(array_to_string(list_filter({{ after }}, lambda name: not list_contains({{ before }}, name)), ', '), '') || '.',
                        'Gone: ' || nullif(array_to_string(list_filter({{ before }}, lambda name: not list_contains({{ after }}, name)), ', '), '') || '.'
                    )
            end
{%- endmacro %}

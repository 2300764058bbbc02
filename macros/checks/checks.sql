{#-
    The checking vocabulary. Each check returns {code, column, condition, is_error}: the condition is true
    for a record that violates it. Errors refuse the record; warnings keep it.
    `refuses=false` turns an error into a warning: the value is left blank and the record stays.
    Severities stand in seeds/reference/error_codes.csv; a test holds these macros to it.
-#}

{#- The column must hold something other than white space. -#}
{% macro required(column) %}
    {% do return({
        'code': 'REQUIRED_MISSING',
        'column': column,
        'condition': text(column) ~ ' is null',
        'is_error': true,
    }) %}
{% endmacro %}

{#- The column must hold something where another column holds one of the values. -#}
{% macro required_when(column, other, values) %}
    {% set check = required(column) %}
    {% do check.update({
        'condition': check.condition ~ ' and ' ~ text(other) ~ " in ('" ~ values | join("', '") ~ "')",
    }) %}
    {% do return(check) %}
{% endmacro %}

{#- What the column holds must read as the type. `type`: date, instant, number, integer, year or boolean. -#}
{% macro readable(column, type, refuses=true) %}
    {% set parser, code = {
        'date': (date, 'INVALID_DATE'),
        'instant': (instant, 'INVALID_DATETIME'),
        'number': (number, 'INVALID_NUMBER'),
        'integer': (integer, 'INVALID_NUMBER'),
        'year': (year, 'INVALID_DATE'),
        'boolean': (boolean, 'INVALID_BOOLEAN'),
    }[type] %}
    {% do return({
        'code': code if refuses else 'OPTIONAL_VALUE_IGNORED',
        'column': column,
        'condition': '(' ~ text(column) ~ ') is not null and (' ~ parser(column) ~ ') is null',
        'is_error': refuses,
    }) %}
{% endmacro %}

{#- What the column holds must be one of the values, or an own term beginning with `ext:` where those are allowed. -#}
{% macro allowed(column, values, refuses=true, allows_extension=false) %}
    {% set condition = text(column) ~ " not in ('" ~ values | join("', '") ~ "')" %}
    {% if allows_extension %}
        {% set condition = condition ~ ' and not starts_with(' ~ text(column) ~ ", 'ext:')" %}
    {% endif %}
    {% do return({
        'code': 'VALUE_NOT_ALLOWED' if refuses else 'OPTIONAL_VALUE_IGNORED',
        'column': column,
        'condition': condition,
        'is_error': refuses,
    }) %}
{% endmacro %}

{#- A boolean written in other case than `true` and `false`, as spreadsheets do. -#}
{% macro lower_case(column) %}
    {% do return({
        'code': 'WRONG_CASE',
        'column': column,
        'condition': boolean(column) ~ ' is not null and ' ~ text(column) ~ ' <> lower(' ~ text(column) ~ ')',
        'is_error': false,
    }) %}
{% endmacro %}

{#-
    The checks that every OneRoster record shares: key, status and date. In a delta both of the latter
    should be there; an unreadable date in a delta is an error, because the record could not be ordered.
-#}
{% macro oneroster_checks() %}
    {% set status, modified = text('status'), 'dateLastModified' %}
    {% set unreadable = readable(modified, 'instant').condition %}
    {% do return([
        required('sourcedId'),
        allowed('status', ['active', 'tobedeleted', 'inactive']),
        {'code': 'LEGACY_STATUS', 'column': 'status', 'is_error': false, 'condition': status ~ " = 'inactive'"},
        {'code': 'STATUS_MISSING', 'column': 'status', 'is_error': false,
         'condition': "mode = 'delta' and " ~ status ~ ' is null'},
        {'code': 'MODIFIED_MISSING', 'column': modified, 'is_error': false,
         'condition': "mode = 'delta' and " ~ text(modified) ~ ' is null'},
        {'code': 'INVALID_DATETIME', 'column': modified, 'is_error': true,
         'condition': "mode = 'delta' and " ~ unreadable},
        {'code': 'OPTIONAL_VALUE_IGNORED', 'column': modified, 'is_error': false,
         'condition': "mode = 'bulk' and " ~ unreadable},
    ]) %}
{% endmacro %}

{#- True when any error among the checks holds; never null. -#}
{% macro is_rejected(checks) -%}
    coalesce(
        {%- for check in checks if check.is_error %}
        ({{ check.condition }}){{ ' or' if not loop.last }}
        {%- endfor %},
        false
    )
{%- endmacro %}

{#- Every violation of the record: a list of (code, column_name, value). Built only for records that have one. -#}
{% macro violations(checks) -%}
    {{ violation_list(checks) }}
{%- endmacro %}

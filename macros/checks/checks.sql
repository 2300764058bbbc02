{#-
    The checking vocabulary of base views. Each check renders the violation of one record, or null.
    A violation has a code, the raw column and `is_error`: an error rejects the record, a warning keeps it.
    Severities stand in seeds/reference/error_codes.csv; a test holds these macros to it.
    What is required, and where own terms are allowed, the layout of the file says (`seeds/contracts/layouts.csv`).
-#}

{#- One violation, where the condition holds. -#}
{% macro violation(code, column, condition, is_error) -%}
    case when {{ condition }} then {'code': '{{ code }}', 'column_name': '{{ column }}', 'is_error': {{ is_error | lower }}} end
{%- endmacro %}

{#- True when the layout of the file requires the column. -#}
{% macro is_required(column) -%}
    list_contains(files.required_columns, '{{ column }}')
{%- endmacro %}

{#- The column must hold something other than white space, where the layout requires it. -#}
{% macro required(column) -%}
    {{ rollcall.violation('REQUIRED_MISSING', column, rollcall.text(column) ~ ' is null and ' ~ rollcall.is_required(column), true) }}
{%- endmacro %}

{#- True when a column holds one of the values, whatever its case. -#}
{% macro holds(column, values) -%}
    coalesce(lower({{ rollcall.text(column) }}) in ('{{ values | join("', '") }}'), false)
{%- endmacro %}

{#- A column that the layout requires must hold something where another column holds one of the values. -#}
{% macro required_when(column, other, values) -%}
    {{ rollcall.violation('REQUIRED_MISSING', column, rollcall.text(column) ~ ' is null and ' ~ rollcall.holds(other, values) ~ ' and ' ~ rollcall.is_required(column), true) }}
{%- endmacro %}

{#-
    What the column holds must read as the type: date, us_date, digit_date, time, instant, number, integer, year or boolean. An
    unreadable value rejects the record where `rejects` holds, which is where the layout requires the column; else it is left blank. `words`
    that stand there in place of a number are known: they leave it blank and are no violation.
-#}
{% macro readable(column, type, rejects=none, words=[]) -%}
    {%- set parser, code = {
        'date': (rollcall.date, 'INVALID_DATE'),
        'us_date': (rollcall.us_date, 'INVALID_DATE'),
        'digit_date': (rollcall.digit_date, 'INVALID_DATE'),
        'time': (rollcall.time_of_day, 'INVALID_DATETIME'),
        'instant': (rollcall.instant, 'INVALID_DATETIME'),
        'number': (rollcall.number, 'INVALID_NUMBER'),
        'integer': (rollcall.integer, 'INVALID_NUMBER'),
        'year': (rollcall.year, 'INVALID_DATE'),
        'boolean': (rollcall.boolean, 'INVALID_BOOLEAN'),
    }[type] -%}
    {%- set is_error = rollcall.is_required(column) if rejects is none else rejects -%}
    {%- set is_known = rollcall.is_implausible(rollcall.day_text(column, type)) if type in ('date', 'us_date', 'digit_date', 'instant') else 'false' -%}
    {%- if words %}{% set is_known = rollcall.holds(column, words | map('lower')) %}{% endif -%}
    case when {{ rollcall.text(column) }} is not null and ({{ parser(column) }}) is null and not {{ is_known }} then {'code': case when {{ is_error }} then '{{ code }}' else 'OPTIONAL_VALUE_IGNORED' end, 'column_name': '{{ column }}', 'is_error': {{ is_error }}} end
{%- endmacro %}

{#- The text of a column with a date as ISO 8601 writes it. -#}
{% macro day_text(column, type) -%}
    {%- set text = rollcall.text(column) -%}
    {{ {'us_date': rollcall.iso_of(text), 'digit_date': rollcall.iso_of_digits(text)}.get(type, text) }}
{%- endmacro %}

{#- A date that nobody can have meant is left blank. -#}
{% macro plausible(column, type='date') -%}
    {{ rollcall.violation('DATE_IMPLAUSIBLE', column, rollcall.is_implausible(rollcall.day_text(column, type)), false) }}
{%- endmacro %}

{#- A date that the record cannot do without must be plausible: it orders the record, or is part of its key. -#}
{% macro plausible_event(column, type='date') -%}
    {{ rollcall.violation('EVENT_DATE_IMPLAUSIBLE', column, rollcall.is_implausible(rollcall.day_text(column, type)), true) }}
{%- endmacro %}

{#- What dates an event must be plausible; later than its export it counts later. -#}
{% macro event_checks(column) %}
    {% do return([
        rollcall.plausible_event(column),
        rollcall.violation('EVENT_IN_FUTURE', column, rollcall.is_after_export(column), false),
    ]) %}
{% endmacro %}

{#- What has a result should say when it was; else it counts from the first export on that has it. -#}
{% macro undated(column, result) -%}
    {{ rollcall.violation('EVENT_DATE_MISSING', column, rollcall.text(column) ~ ' is null and ' ~ rollcall.text(result) ~ ' is not null', false) }}
{%- endmacro %}

{#- The same of a day of `us_date` and, where there is one, a time of that day. -#}
{% macro local_event_checks(day, time=none) %}
    {% do return([
        rollcall.plausible_event(day, 'us_date'),
        rollcall.violation('EVENT_IN_FUTURE', day, rollcall.is_local_after_export(day, time), false),
    ]) %}
{% endmacro %}

{#-
    What the column holds must be one of the values, or begin with `ext:` where the layout allows own terms. Another
    case is read all the same and warned of. It is looked at only `where` it applies.
-#}
{% macro allowed(column, values, where='true') -%}
    {%- set is_own_term = 'starts_with(' ~ rollcall.text(column) ~ ", 'ext:') and list_contains(files.extensible_columns, '" ~ column ~ "')" -%}
    {%- set is_known = 'lower(' ~ rollcall.text(column) ~ ") in ('" ~ values | map('lower') | join("', '") ~ "')" -%}
    case when {{ where }} and {{ rollcall.text(column) }} not in ('{{ values | join("', '") }}') and not ({{ is_own_term }}) then {'code': case when {{ is_known }} then 'WRONG_CASE' else 'VALUE_NOT_ALLOWED' end, 'column_name': '{{ column }}', 'is_error': not {{ is_known }}} end
{%- endmacro %}

{#-
    What the column holds should be one of the values that are known, whatever its case. Another is kept as it is and
    warned of: a code list of a vendor grows without notice, and no result is lost for it.
-#}
{% macro known(column, values) -%}
    {{ rollcall.violation('VALUE_UNKNOWN', column, 'lower(' ~ rollcall.text(column) ~ ") not in ('" ~ values | map('lower') | join("', '") ~ "')", false) }}
{%- endmacro %}

{#- What the column holds should be a number of `written_number` or one of the words; else it is kept and warned of. -#}
{% macro known_or_number(column, words) -%}
    {%- set is_word = rollcall.holds(column, words | map('lower')) if words else 'false' -%}
    {{ rollcall.violation('VALUE_UNKNOWN', column, rollcall.text(column) ~ ' is not null and ' ~ rollcall.written_number(column) ~ ' is null and not ' ~ is_word, false) }}
{%- endmacro %}

{#- A boolean written in other case than `true` and `false`, as spreadsheets do. -#}
{% macro lower_case(column) -%}
    {{ rollcall.violation('WRONG_CASE', column, rollcall.boolean(column) ~ ' is not null and ' ~ rollcall.text(column) ~ ' <> lower(' ~ rollcall.text(column) ~ ')', false) }}
{%- endmacro %}

{#- What ends before it begins; both days are kept as they are. -#}
{% macro in_order(first, last) -%}
    {{ rollcall.violation('DATES_REVERSED', last, '(' ~ rollcall.date(last) ~ ') < (' ~ rollcall.date(first) ~ ')', false) }}
{%- endmacro %}

{#- A list whose items seem to be separated by something else than a comma: it is read as the one item that it then is. -#}
{% macro comma_separated(column) -%}
    {{ rollcall.violation('LIST_SEPARATOR', column, 'regexp_matches(' ~ rollcall.text(column) ~ ", '[;|]')", false) }}
{%- endmacro %}

{#- A school year written with both its years. -#}
{% macro one_year(column) -%}
    {{ rollcall.violation('YEAR_SPAN', column, '(' ~ rollcall.year(column) ~ ') is not null and length(' ~ rollcall.text(column) ~ ') > 4', false) }}
{%- endmacro %}

{#-
    The checks that every OneRoster record shares: key, status and date. In a delta both of the latter should be there;
    an unreadable date in a delta is an error, because the record could not be ordered.
-#}
{% macro oneroster_checks() %}
    {% set modified = rollcall.text('dateLastModified') %}
    {% set is_unreadable = '(' ~ rollcall.instant('dateLastModified') ~ ') is null and not ' ~ rollcall.is_implausible(modified) %}
    {% do return([
        rollcall.required('sourcedId'),
        rollcall.allowed('status', ['active', 'tobedeleted', 'inactive']),
        rollcall.violation('LEGACY_STATUS', 'status', "lower(" ~ rollcall.text('status') ~ ") = 'inactive'", false),
        rollcall.violation('STATUS_MISSING', 'status', "files.mode = 'delta' and " ~ rollcall.text('status') ~ ' is null', false),
        rollcall.violation('MODIFIED_MISSING', 'dateLastModified', "files.mode = 'delta' and " ~ modified ~ ' is null', false),
        rollcall.violation('INVALID_DATETIME', 'dateLastModified', "files.mode = 'delta' and " ~ modified ~ ' is not null and ' ~ is_unreadable, true),
        rollcall.violation('OPTIONAL_VALUE_IGNORED', 'dateLastModified', "files.mode = 'bulk' and " ~ modified ~ ' is not null and ' ~ is_unreadable, false),
        rollcall.plausible('dateLastModified'),
        rollcall.violation('MODIFIED_IN_FUTURE', 'dateLastModified', rollcall.is_after_export('dateLastModified'), false),
    ]) %}
{% endmacro %}

{#-
    Every violation of an OneRoster record: of what all share, and of the feed's own `checks` unless the record deletes.
    A record that deletes needs its key, status and date, and nothing else.
-#}
{% macro oneroster_violations(checks) -%}
    list_concat(
            {{ rollcall.violations(rollcall.oneroster_checks()) | indent(4) }},
            case when {{ rollcall.is_deletion('status') }} then [] else {{ rollcall.violations(checks) | indent(4) }} end
        )
{%- endmacro %}

{#- A violation of the record as a whole. -#}
{% macro record_violation(code, is_error) -%}
    {'code': '{{ code }}', 'column_name': null, 'is_error': {{ is_error | lower }}}
{%- endmacro %}

{#- Every violation of the record, as a list of (code, column_name, is_error); empty when there is none. -#}
{% macro violations(checks) -%}
    list_filter(
            [
                {{ checks | join(',\n                ') }}
            ],
            lambda violation: violation is not null
        )
{%- endmacro %}

{#- True when any violation of the record is an error. -#}
{% macro is_rejected() -%}
    coalesce(list_bool_or(list_transform(violations, lambda violation: violation.is_error)), false)
{%- endmacro %}

"""Do the values of a file still have the types and formats that its layout says?

Values are counted, never changed: the counts decide on the file, dbt decides on each record. Only
columns that are staged count.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from rollcall.contracts.layouts import Column, Layout
from rollcall.landing.verdicts import Effect, Judgement
from rollcall.ledger.sql import identifier, literal, trimmed

_CHECKED_TYPES = ("date", "datetime", "float", "integer", "bool")
_MOST = 0.5
_ISO_DATE = "YYYY-MM-DD"
_TWINS = {"%m/%d/%Y": "%d/%m/%Y", "%d/%m/%Y": "%m/%d/%Y"}
_OTHER_FORMATS = {
    "date": (
        ("month/day/year", "%m/%d/%Y"),
        ("day/month/year", "%d/%m/%Y"),
        ("year/month/day", "%Y/%m/%d"),
        ("day.month.year", "%d.%m.%Y"),
        ("month-day-year", "%m-%d-%Y"),
        ("day-month-year", "%d-%m-%Y"),
        ("yyyymmdd", "%Y%m%d"),
        ("day-month in letters-year", "%d-%b-%Y"),
    ),
    "datetime": (
        ("month/day/year hour:minute", "%m/%d/%Y %H:%M"),
        ("day/month/year hour:minute", "%d/%m/%Y %H:%M"),
        ("month/day/year hour:minute:second", "%m/%d/%Y %H:%M:%S"),
        ("day/month/year hour:minute:second", "%d/%m/%Y %H:%M:%S"),
        ("month/day/year", "%m/%d/%Y"),
        ("day/month/year", "%d/%m/%Y"),
        ("yyyymmddhhmmss", "%Y%m%d%H%M%S"),
    ),
}
_OTHER_FORMS = {
    "date": (
        ("a date with a time", r"\d{4}-\d{2}-\d{2}[T ].+"),
        ("day numbers of a spreadsheet", r"[2-6]\d{4}(\.\d+)?"),
    ),
    "datetime": (
        ("seconds since 1970", r"1\d{9}"),
        ("milliseconds since 1970", r"1\d{12}"),
        ("day numbers of a spreadsheet", r"[2-6]\d{4}(\.\d+)?"),
    ),
    "float": (
        ("a decimal comma", r"[+-]?\d+,\d+"),
        ("a percent sign", r"[+-]?\d+(\.\d+)? ?%"),
        ("letter grades", r"[A-Fa-f][+-]?"),
    ),
    "integer": (("decimals", r"[+-]?\d+[.,]\d+"),),
    "bool": (("1 and 0", "[01]"), ("Y and N", "[YyNn]"), ("yes and no", "(?i)yes|no")),
}


@dataclass(frozen=True, slots=True)
class _Counts:
    """How many values of a column are filled, and how many of those cannot be read."""

    column: Column
    target: str
    filled: int
    unreadable: int


def judge_values(
    connection: duckdb.DuckDBPyConnection,
    file_id: str,
    layout: Layout,
    mode: str,
    *,
    malformed_count: int,
    max_rejected_percent: float,
    floor_count: float,
) -> Iterator[Judgement]:
    """Yield what the stored values of a file say against it.

    `TYPE_CHANGED` when most values of a column cannot be read, or when they can only be read with
    day and month swapped; `MASS_REJECTION` when more records are rejected than the limit allows.
    """
    columns = [
        (column, target)
        for column, target in zip(layout.columns, layout.raw_columns, strict=True)
        if column.staged_as
    ]
    values = ", ".join(
        f"nullif({trimmed(target)}, '') as {identifier(target)}" for _, target in columns
    )
    rows = f"(select {values} from {layout.raw_table} where file_id = {literal(file_id)})"
    record_count, rejected_count, counts = _count(connection, rows, columns, mode)
    changed = [
        count
        for count in counts
        if count.unreadable >= floor_count
        and (count.unreadable > count.filled * _MOST or _is_swapped(connection, rows, count))
    ]
    for count in changed:
        yield Judgement("TYPE_CHANGED", _describe(connection, rows, count), Effect.REJECT)
    refused = rejected_count + malformed_count
    total = record_count + malformed_count
    if not changed and refused >= floor_count and refused * 100 > max_rejected_percent * total:
        where = ", ".join(f"'{count.column.name}'" for count in counts if count.unreadable)
        yield Judgement(
            "MASS_REJECTION",
            f"{refused} of {total} records will be refused ({refused * 100 / total:.1f} %, "
            f"limit {max_rejected_percent:g} %)" + (f"; look at {where}." if where else "."),
            Effect.HOLD,
        )


def _count(
    connection: duckdb.DuckDBPyConnection,
    rows: str,
    columns: list[tuple[Column, str]],
    mode: str,
) -> tuple[int, int, list[_Counts]]:
    typed = [pair for pair in columns if pair[0].data_type in _CHECKED_TYPES]
    errors = [error for pair in columns for error in _errors(*pair, mode)]
    sums = [f"count(*) filter ({' or '.join(errors) or 'false'})"]
    for column, target in typed:
        sums += [f"count({identifier(target)})", f"count(*) filter ({_unreadable(column, target)})"]
    found = connection.execute(f"select count(*), {', '.join(sums)} from {rows}").fetchone()
    record_count, rejected_count, *pairs = found or (0, 0)
    counts = [
        _Counts(column, target, pairs[2 * place], pairs[2 * place + 1])
        for place, (column, target) in enumerate(typed)
    ]
    return record_count, rejected_count, counts


def _errors(column: Column, target: str, mode: str) -> Iterator[str]:
    """Yield the conditions under which a column gets its record rejected."""
    if column.requirement == "yes":
        yield f"{identifier(target)} is null"
    if column.requirement == "yes" or (column.requirement == "delta" and mode == "delta"):
        if column.data_type in _CHECKED_TYPES:
            yield _unreadable(column, target)
        elif column.data_type == "enum" and column.allowed_values:
            allowed = ", ".join(literal(value) for value in column.allowed_values)
            extension = (
                f" and not starts_with({identifier(target)}, 'ext:')"
                if column.allows_extension
                else ""
            )
            yield f"({identifier(target)} not in ({allowed}){extension})"


def _unreadable(column: Column, target: str) -> str:
    """Return a condition: the column is filled with what its type cannot be read from."""
    value = identifier(target)
    if column.data_type == "date" and column.format != _ISO_DATE:
        readable = f"try_strptime({value}, {literal(column.format)}) is not null"
    else:
        readable = {
            "date": f"{value} like '____-__-__' and try_cast({value} as date) is not null",
            "datetime": f"{value} like '____-__-__%' and try_cast({value} as timestamptz) "
            "is not null",
            "float": f"try_cast({value} as decimal(18, 6)) is not null",
            "integer": f"regexp_full_match({value}, '[+-]?\\d+')",
            "bool": f"lower({value}) in ('true', 'false')",
        }[column.data_type]
    return f"({value} is not null and not ({readable}))"


def _is_swapped(connection: duckdb.DuckDBPyConnection, rows: str, count: _Counts) -> bool:
    """Say whether the values fit only with day and month swapped: some do, none fits as declared.

    Values that fit both ways prove nothing; taking them as declared would switch silently.
    """
    twin = _TWINS.get(count.column.format)
    if twin is None:
        return False
    value, declared = identifier(count.target), count.column.format
    found = connection.execute(
        f"select count(*) filter (try_strptime({value}, ?) is null), "
        f"count(*) filter (try_strptime({value}, ?) is null) from {rows} where {value} is not null",
        [declared, twin],
    ).fetchone()
    return found is not None and found[0] > 0 and found[1] == 0


def _describe(connection: duckdb.DuckDBPyConnection, rows: str, count: _Counts) -> str:
    column = count.column
    fitting = list(_fitting(connection, rows, count))
    form = column.format or column.data_type
    sentence = (
        f"{count.unreadable} of {count.filled} values of '{column.name}' are not written as {form}"
    )
    if len(fitting) > 1:
        return f"{sentence}; {' and '.join(fitting)} both fit, so nothing may be guessed."
    if fitting:
        return f"{sentence}; all of them fit {fitting[0]}."
    return f"{sentence}; no known format fits them all."


def _fitting(connection: duckdb.DuckDBPyConnection, rows: str, count: _Counts) -> Iterator[str]:
    """Yield the formats that every value of the column fits which the declared one does not."""
    value, kind = identifier(count.target), count.column.data_type
    candidates = [
        (words, f"try_strptime({value}, {literal(form)}) is not null")
        for words, form in _OTHER_FORMATS.get(kind, ())
        if form != count.column.format
    ] + [
        (words, f"regexp_full_match({value}, {literal(form)})")
        for words, form in _OTHER_FORMS.get(kind, ())
    ]
    fits = ", ".join(f"bool_and({condition})" for _, condition in candidates)
    found = connection.execute(
        f"select {fits} from {rows} where {_unreadable(count.column, count.target)}"
    ).fetchone()
    for (words, _), is_fitting in zip(candidates, found or (), strict=True):
        if is_fitting:
            yield words

"""SQL: questions with named columns, names written safely into a statement, and keys as text."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import duckdb


def rows(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] = ()
) -> list[dict[str, Any]]:
    """Ask a question and return each row as column -> value."""
    result = connection.execute(sql, list(parameters))
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def literal(text: str) -> str:
    """Write a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Write a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


BLANKS_AROUND = r"^[\pZ\pC]+|[\pZ\pC]+$"
"""What around a text never counts, as a regular expression; dbt's `blanks_around` is the same."""
BETWEEN_ITEMS = r"[\pZ\pC]*,[,\pZ\pC]*"
"""What separates the items of a list, as a regular expression."""


def trimmed(text: str) -> str:
    """Write a text without white space around it, null when nothing is left; `text` is SQL."""
    return (
        f"case when left({text}, 1) between '!' and '~' and right({text}, 1) between '!' and '~' "
        f"then {text} else nullif(regexp_replace({text}, '{BLANKS_AROUND}', '', 'g'), '') end"
    )


CASTS = {
    "date": "try_cast({} as date)",
    "us_date": "cast(if({0} like '%/____', try_strptime({0}, '%m/%d/%Y'), null) as date)",
    "digit_date": "cast(try_strptime(lpad({}, 8, '0'), '%m%d%Y') as date)",
    "time": "cast(try_strptime({}, '%H:%M:%S') as time)",
    "datetime": "try_cast({} as timestamptz) at time zone 'UTC'",
    "float": "try_cast({} as decimal(18, 6))",
    "integer": "try_cast({} as integer)",
    "year": "try_cast(left({0}, 4) as integer) + cast(length({0}) > 4 as integer)",
    "bool": "try_cast({} as boolean)",
}
"""SQL that reads a trimmed text as a kind of `Column`: by the engine's own means, otherwise than
staging."""


def day_of(text: str) -> str:
    """Write the day that a trimmed text names as SQL, as the macro `date` has it; null if none."""
    is_day = f"regexp_full_match({text}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}')"
    return f"case when {text} >= '1981' and {is_day} then try_cast({text} as date) end"


def normalized(text: str, kind: str) -> str:
    """Write the text of a part of a key: what it reads as, such as 7 for `07` in a whole number.

    Args:
        text: the trimmed text, as SQL.
        kind: how its column is read, as `Column.kind` says.
    """
    if kind not in CASTS:
        return text
    return f"coalesce(cast({CASTS[kind].format(text)} as varchar), {text})"


def as_text(column: str, kind: str) -> str:
    """Write the text of a typed column of a mart, as SQL."""
    return f"cast({column} as varchar)" if kind in CASTS else column


def record_key(parts: Sequence[str], may_be_blank: Sequence[bool] = ()) -> str:
    """Write the key of a record as SQL of one text; null where any part is that must be there.

    A key of several columns is their texts with ` | ` between them, and every `|` within doubled,
    as the macro `record_key` has it.

    Args:
        parts: the text of each part, as SQL.
        may_be_blank: of each part of several, whether it is an empty text where it is null.
    """
    if len(parts) == 1:
        return parts[0]
    texts = [f"replace({part}, '|', '||')" for part in parts]
    for place, may_be in enumerate(may_be_blank):
        texts[place] = f"coalesce({texts[place]}, '')" if may_be else texts[place]
    return " || ' | ' || ".join(texts)


def record_key_of(texts: Sequence[str], may_be_blank: Sequence[bool] = ()) -> str | None:
    """Return the key of a record whose key columns hold these trimmed texts, as `record_key`."""
    if len(texts) == 1:
        return texts[0] or None
    if any(not text and not may_be for text, may_be in zip_longest(texts, may_be_blank)):
        return None
    return " | ".join(text.replace("|", "||") for text in texts)

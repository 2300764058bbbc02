"""SQL: questions with named columns, names written safely into a statement, and keys as text."""

from collections.abc import Sequence
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


def trimmed(name: str) -> str:
    """Write the text of a column without blanks around it; trimming every value costs twice."""
    column = identifier(name)
    return (
        f"case when {column} like ' %' or {column} like '% ' then trim({column}) else {column} end"
    )


CASTS = {
    "date": "try_cast({} as date)",
    "datetime": "try_cast({} as timestamptz) at time zone 'UTC'",
    "float": "try_cast({} as decimal(18, 6))",
    "integer": "try_cast({} as integer)",
    "year": "try_cast({} as integer)",
    "bool": "try_cast(trim({}) as boolean)",
}
"""SQL that reads a raw text as a type: by the engine's own casts, and otherwise than staging.

Of these casts only that to a boolean minds blanks around the text."""


def normalized(text: str, raw: str, data_type: str) -> str:
    """Write the text of a part of a key: what it reads as, such as 7 for `07` in a whole number.

    Args:
        text: the raw text without blanks around it, as SQL.
        raw: the raw text.
        data_type: the type of its column, as `layouts.csv` says it.
    """
    if data_type not in CASTS:
        return text
    return f"coalesce(cast({CASTS[data_type].format(raw)} as varchar), {text})"


def as_text(column: str, data_type: str) -> str:
    """Write the text of a typed column of a mart, as SQL."""
    return f"cast({column} as varchar)" if data_type in CASTS else column


def record_key(parts: Sequence[str]) -> str:
    """Write the key of a record as SQL of one text; null where any part is.

    A key of several columns is their texts with ` | ` between them, and every `|` within doubled,
    as the macro `record_key` has it.
    """
    if len(parts) == 1:
        return parts[0]
    return " || ' | ' || ".join(f"replace({part}, '|', '||')" for part in parts)


def record_key_of(texts: Sequence[str]) -> str | None:
    """Return the key of a record whose key columns hold these texts, as `record_key` does."""
    trimmed_texts = [text.strip() for text in texts]
    if not all(trimmed_texts):
        return None
    if len(trimmed_texts) == 1:
        return trimmed_texts[0]
    return " | ".join(text.replace("|", "||") for text in trimmed_texts)

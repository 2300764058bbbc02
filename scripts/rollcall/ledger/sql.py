"""SQL: questions with named columns, and texts and names written safely into a statement."""

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

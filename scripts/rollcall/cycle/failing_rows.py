"""What a test that failed or warned says of the rows it found: the row's key, file and line."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from rollcall.ledger.sql import identifier, rows
from rollcall.sanitize import plain

_FOUND_BY_VALUE = {
    "accepted_values": "value_field",
    "relationships": "from_field",
    "unique": "unique_field",
}
"""Tests of dbt that return values of a column, and what they call them."""
_MOST_ROWS = 3
_MOST_LETTERS = 60


@dataclass(frozen=True, slots=True)
class Examined:
    """What a generic test tests: its name, the column, the relation and the keys of its rows.

    `keys` are the columns of the relation's grain test; `hidden` columns identify a person by
    themselves and are never shown.
    """

    test: str
    column: str
    relation: str
    keys: tuple[str, ...]
    hidden: frozenset[str]


NOTHING_EXAMINED = Examined("", "", "", (), frozenset())


def remedies(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[str, ...]:
    """Return what a test says of each row to correct; nothing when it has no column `remedy`."""
    if "remedy" not in _columns(connection, f"({query})"):
        return ()
    found = connection.execute(f"select remedy from ({query})").fetchall()
    return tuple(sentence for (sentence,) in found)


def named_rows(connection: duckdb.DuckDBPyConnection, query: str, examined: Examined) -> str:
    """Name the first rows that a test found, in a total order, and how many there are.

    Args:
        connection: has what was built, and the ledger as `landing`.
        query: the query of the test.
        examined: what it tests; `NOTHING_EXAMINED` for a singular test.
    """
    found = _found(query, examined)
    columns = _columns(connection, found)
    shown = [name for name in examined.keys if name in columns] or [
        name
        for name in columns
        if name.endswith(("_key", "_id")) and name != "file_id" and name not in examined.hidden
    ]
    located = [name for name in ("file_id", "record_number") if name in columns]
    wanted = ", ".join(identifier(name) for name in (*shown, *located))
    [(count,)] = connection.execute(f"select count(*) from {found}").fetchall()
    counted = f"{count} row" + "s" * (count != 1)
    if not wanted:
        return f"{counted}."
    first = rows(
        connection, f"select {wanted} from {found} order by all nulls last limit {_MOST_ROWS}"
    )
    texts = "; ".join(_named(connection, row, shown) for row in first)
    return f"{counted}: {texts}" + ("; ..." if count > len(first) else ".")


def _found(query: str, examined: Examined) -> str:
    """Return the relation or subquery of the rows that a test found, whole where that is known."""
    if examined.test == "not_null":
        return f"(select * from {examined.relation} where {examined.column} is null)"
    if examined.test in _FOUND_BY_VALUE:
        value = _FOUND_BY_VALUE[examined.test]
        return (
            f"(select * from {examined.relation} "
            f"where cast({examined.column} as varchar) in "
            f"(select cast({value} as varchar) from ({query})))"
        )
    return f"({query})"


def _columns(connection: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    return [name for name, *_ in connection.execute(f"describe from {relation}").fetchall()]


def _named(
    connection: duckdb.DuckDBPyConnection, row: dict[str, object], shown: Sequence[str]
) -> str:
    keys = ", ".join(f"{name} {plain(str(row[name]))[:_MOST_LETTERS]}" for name in shown)
    place = where(connection, row)
    return f"{keys} ({place})" if keys and place else keys or place


def where(connection: duckdb.DuckDBPyConnection, row: dict[str, object]) -> str:
    """Name file and line of a row that came from a file."""
    file = connection.execute(
        "select concat_ws('/', source_id, delivery_name, file_name), raw_table "
        "from landing.landing.files where file_id = ?",
        [row.get("file_id")],
    ).fetchone()
    if file is None:
        return ""
    name, raw_table = file
    if raw_table is None or row.get("record_number") is None:
        return str(name)
    line = connection.execute(
        f"select line_number from landing.{raw_table} where file_id = ? and record_number = ?",
        [row["file_id"], row["record_number"]],
    ).fetchone()
    return f"{name}, line {line[0]}" if line else str(name)

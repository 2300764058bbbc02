"""Fingerprints: one digest per table, equal for equal rows wherever and whenever they were made.

A row is written as JSON, its columns in order of their names, and hashed; the hashes are added up.
So neither the order of rows nor their layout on disk counts, and a row that stands twice does.
Views count like tables.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase

import duckdb

from rollcall.databases import ORIGIN
from rollcall.ledger import ledger
from rollcall.ledger.sql import identifier

FACTS_OF_A_RUN = (
    *("*job_id", "landed_at", "decided_at", "found_at", "opened_at", "closed_at", "code_version"),
    *("export_to_landing_*", "landing_to_visible_*", "run_status", "failed_attempt_count"),
)
"""Columns, as patterns of their names, that say when and by what something was done (or are
measured from that), not what it came to."""
_ASIDE = ("test_failures", ORIGIN.partition(".")[0])
"""Schemas that are no data: the rows that tests found (a replay runs no test), and the ledger."""


def fingerprints(
    connection: duckdb.DuckDBPyConnection,
    *,
    catalog: str = "warehouse",
    leaving_out: Iterable[str] = FACTS_OF_A_RUN,
    progress: Callable[[int, int, str], None] = lambda *_: None,
) -> dict[str, str]:
    """Return the digest (SHA-256) of every table and view, by `schema.name`.

    Args:
        connection: a connection that `Home.published` gives.
        catalog: the database whose tables are meant.
        leaving_out: patterns of the names of columns that do not count.
        progress: receives (tables done, tables in all, name of the last one).
    """
    names = connection.execute(
        "select table_schema || '.' || table_name from information_schema.tables "
        "where table_catalog = ? and not list_contains(?, table_schema) order by all",
        [catalog, _ASIDE],
    ).fetchall()
    found = {}
    for place, (name,) in enumerate(names, 1):
        found[name] = _fingerprint(connection, f"{catalog}.{name}", tuple(leaving_out))
        progress(place, len(names), name)
    return found


def combined(digests: Mapping[str, str]) -> str:
    """Return one digest for all tables."""
    return ledger.event_hash("", [part for pair in sorted(digests.items()) for part in pair])


def row_text(
    connection: duckdb.DuckDBPyConnection, table: str, leaving_out: Iterable[str]
) -> tuple[str, list[tuple[str, str]]]:
    """Return SQL that writes a row of a table as text, and the columns (name, type) in it."""
    columns = [
        (name, data_type)
        for name, data_type, *_ in connection.execute(f"describe {table}").fetchall()
        if not any(fnmatchcase(name, pattern) for pattern in leaving_out)
    ]
    columns.sort()
    packed = ", ".join(f"{identifier(n)} := {identifier(n)}" for n, _ in columns)
    return f"cast(to_json(struct_pack({packed})) as varchar)", columns


def _fingerprint(
    connection: duckdb.DuckDBPyConnection, table: str, leaving_out: tuple[str, ...]
) -> str:
    text, columns = row_text(connection, table, leaving_out)
    sums = connection.execute(
        f"select count(*), sum(md5_number_lower(text)), sum(md5_number_upper(text)) "
        f"from (select {text} as text from {table})"
    ).fetchone()
    return hashlib.sha256(repr((columns, sums)).encode()).hexdigest()

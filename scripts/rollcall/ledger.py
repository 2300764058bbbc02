"""The ledger: what was handed over and what became of it, in `landing.duckdb`.

Every entry is added, never changed, but for the status of a cycle. `landing.events` is a chain:
each entry carries the SHA-256 of the one before, so that a changed or removed entry shows.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from rollcall.clock import iso

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.layouts import Contracts, Layout

_SCHEMA = (Path(__file__).parent / "ledger.sql").read_text(encoding="utf-8")
_GENESIS = "0" * 64
LINEAGE_COLUMNS = ("file_id", "record_number", "line_number", "byte_offset")


def prepare(connection: duckdb.DuckDBPyConnection, contracts: "Contracts") -> None:
    """Create the ledger and one raw table for each distinct structure, where they are missing."""
    connection.execute(_SCHEMA)
    for layout in contracts.structures:
        connection.execute(_raw_table(layout))


def _raw_table(layout: "Layout") -> str:
    schema, table = layout.raw_table.split(".")
    fields = ", ".join(f'"{column.name}" varchar' for column in layout.columns)
    return (
        f"create schema if not exists {schema};"
        f"create table if not exists {schema}.{table} ("
        "file_id varchar not null, record_number bigint not null, "
        "line_number bigint not null, byte_offset bigint not null, "
        f"{fields}, metadata map(varchar, varchar))"
    )


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> "Iterator[None]":
    """Commit what happens inside together, or nothing of it."""
    connection.execute("begin")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


def next_job(connection: duckdb.DuckDBPyConnection) -> int:
    """Number the job about to write; jobs count from 1."""
    return int(_scalar(connection, "select coalesce(max(job_id), 0) + 1 from landing.events"))


def add(connection: duckdb.DuckDBPyConnection, table: str, row: Mapping[str, Any]) -> None:
    """Add one row, given as column -> value, to a ledger table."""
    columns = ", ".join(row)
    marks = ", ".join("?" for _ in row)
    connection.execute(
        f"insert into landing.{table} ({columns}) values ({marks})",  # noqa: S608
        list(row.values()),
    )


def add_finding(
    connection: duckdb.DuckDBPyConnection,
    *,
    job_id: int,
    file_id: str | None,
    code: str,
    detail: str,
    at: datetime,
) -> None:
    """Append a finding: something a person should know, that stopped nothing."""
    number = _scalar(
        connection, "select coalesce(max(finding_number), 0) + 1 from landing.findings"
    )
    add(
        connection,
        "findings",
        {
            "finding_number": number,
            "job_id": job_id,
            "file_id": file_id,
            "code": code,
            "detail": detail,
            "found_at": at,
        },
    )


def note(
    connection: duckdb.DuckDBPyConnection,
    *,
    job_id: int,
    at: datetime,
    kind: str,
    subject: str,
    detail: str = "",
) -> None:
    """Append an event to the chain."""
    last = connection.execute(
        "select event_number, sha256 from landing.events order by event_number desc limit 1"
    ).fetchone()
    number, previous = (last[0] + 1, last[1]) if last else (1, _GENESIS)
    add(
        connection,
        "events",
        {
            "event_number": number,
            "job_id": job_id,
            "happened_at": at,
            "kind": kind,
            "subject": subject,
            "detail": detail,
            "previous_sha256": previous,
            "sha256": event_hash(
                previous, [str(number), str(job_id), iso(at), kind, subject, detail]
            ),
        },
    )


def event_hash(previous: str, fields: Iterable[str]) -> str:
    """Hash one event: the previous hash and its fields, each with its length in bytes before it."""
    digest = hashlib.sha256(previous.encode())
    for field in fields:
        text = field.encode()
        digest.update(b"%d:" % len(text) + text)
    return digest.hexdigest()


def rows(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] = ()
) -> list[dict[str, Any]]:
    """Ask a question and return each row as column -> value."""
    result = connection.execute(sql, list(parameters))
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _scalar(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    row = connection.execute(sql).fetchone()
    return row[0] if row else None

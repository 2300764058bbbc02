"""The version of the ledger: code that knows an older one leaves the data directory alone."""

from pathlib import Path

import duckdb

from rollcall.errors import UsageError

VERSION = 5
"""Raised by one with every change of `ledger.sql`; `prepare` brings an older ledger up to it."""


def check_version(
    connection: duckdb.DuckDBPyConnection, place: Path, *, may_be_older: bool
) -> None:
    """Refuse a ledger that this code does not know.

    Args:
        connection: the landing database.
        place: the data directory, to be named.
        may_be_older: whether whoever opens it brings it up to date, or reads any version.

    Raises:
        UsageError: a newer Rollcall wrote it, or an older one did and it must not be older, or
            one from before ledgers had a version.
    """
    found = version_of(connection)
    if found == 0:
        raise UsageError(
            f"{place} was written by a Rollcall before 0.3.0, whose ledger this one does not read. "
            "Move it aside, run `rollcall init` and land its deliveries again, as CHANGELOG.md "
            "shows; nothing was changed."
        )
    if found is not None and found > VERSION:
        raise UsageError(
            f"{place} was written by a newer Rollcall: its ledger has version {found}, and this "
            f"one knows {VERSION}. Install that Rollcall or a newer one; nothing was changed."
        )
    if found is not None and found < VERSION and not may_be_older:
        raise UsageError(
            f"{place} was written by an older Rollcall: its ledger has version {found}, and this "
            f"one reads {VERSION}. Run `rollcall init` once, which brings it up to date and keeps "
            "all that is in it."
        )


def version_of(connection: duckdb.DuckDBPyConnection) -> int | None:
    """Return the version of a ledger: 0 before there were any, None where none is made yet."""
    tables = connection.execute(
        "select table_name from duckdb_tables() where database_name = current_database() "
        "and schema_name = 'landing' and table_name in ('events', 'ledger_version')"
    ).fetchall()
    if ("ledger_version",) in tables:
        versions = connection.execute("select max(version) from landing.ledger_version").fetchall()
        return versions[0][0]  # type: ignore[no-any-return]
    return 0 if tables else None

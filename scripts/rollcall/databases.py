"""Databases of a data directory that are damaged, lost or not of one another, and what to do."""

from pathlib import Path

import duckdb

from rollcall.errors import UsageError
from rollcall.home import Home
from rollcall.ledger.sql import identifier, literal

_MEMORY = "800MB"
_IS_NO_DAMAGE = (
    "set lock on file",
    "permission denied",
    "already attached",
    "newer version of duckdb",
)
"""What the message of an error has, in lower case, that says nothing of the bytes of a file."""
_AGAIN = "Run `rollcall restore`, which builds it again from archive and ledger."
PAGE = "docs/operations.md"
ORIGIN = "source_ledger.published_cycle"
"""The table in a warehouse that says which cycle it is of, and which event opened that."""


def flaw(database: Path) -> str | None:
    """Read every table of a database, and say what is wrong with its bytes, if anything.

    One that is not there, or that another program keeps, is not looked into.
    """
    if not database.exists():
        return None
    if not database.is_file():
        return "it is no file"
    try:
        with duckdb.connect() as connection:
            connection.execute(f"set memory_limit = '{_MEMORY}'")
            connection.execute(f"attach {literal(str(database))} as examined (read_only)")
            for schema, table in connection.execute(
                "select schema_name, table_name from duckdb_tables() "
                "where database_name = 'examined' order by all"
            ).fetchall():
                name = f"examined.{identifier(schema)}.{identifier(table)}"
                connection.execute(f"select sum(hash(t)) from {name} as t").fetchall()
    except duckdb.Error as error:
        return _damage(error, database)
    return None


def _damage(error: duckdb.Error, database: Path) -> str | None:
    """Say what an error says of the bytes of a database, if it is about them."""
    message = " ".join(str(error).replace(f' "{database}"', "").split())
    return None if any(sign in message.lower() for sign in _IS_NO_DAMAGE) else message[:160]


def damages(home: Home) -> list[str]:
    """Say which databases of a data directory are damaged, and what to do about each."""
    found = []
    if why := flaw(home.landing_db):
        found.append(landing_is_damaged(home, why))
    if why := flaw(home.warehouse_db):
        found.append(warehouse_is_damaged(home, why))
    return found


def landing_is_damaged(home: Home, why: str) -> str:
    """Say that the landing database is damaged, and what to do."""
    return (
        f"{home.landing_db} is damaged ({why}). It holds the ledger, which nothing else can "
        f"replace: put it back from a backup, as {PAGE} shows."
    )


def warehouse_is_damaged(home: Home, why: str) -> str:
    """Say that the last good warehouse is damaged, and what to do."""
    return f"{home.warehouse_db} is damaged ({why}). {_AGAIN}"


def is_last_good_readable(home: Home) -> bool:
    """Say whether readers have a last good warehouse."""
    return home.warehouse_db.exists() and flaw(home.warehouse_db) is None


def attach_last_good(home: Home, connection: duckdb.DuckDBPyConnection) -> str | None:
    """Attach the last good warehouse as `good`, if there is one and it is that of the ledger.

    Args:
        home: the data directory.
        connection: its landing database.

    Returns:
        Why it is not attached though it should be, and what to do; None otherwise.

    Raises:
        UsageError: it is that of another ledger.
    """
    cycles = connection.execute(
        "select count(*), max(cycle_id) filter (status = 'completed') from landing.cycles"
    ).fetchone()
    cycle_count, completed = cycles or (0, None)
    if not home.warehouse_db.exists():
        if completed is None:
            return None
        return f"{home.warehouse_db} is missing, although cycle {completed} was published. {_AGAIN}"
    try:
        home.attach_last_good(connection)
        built = _built_from(connection)
    except duckdb.Error as error:
        if why := _damage(error, home.warehouse_db):
            return warehouse_is_damaged(home, why)
        raise
    is_own = bool(cycle_count) and (
        built is None
        or connection.execute(
            "select 1 from landing.events where event_number = ? and sha256 = ?", built[1:]
        ).fetchone()
        is not None
    )
    if not is_own:
        or_build = ", or run `rollcall restore`, which builds it from this ledger"
        raise UsageError(
            f"{home.warehouse_db} was published from another ledger than {home.landing_db.name} "
            "beside it, or from a newer state of it. Put both back from one backup, as "
            f"{PAGE} shows{or_build if completed else ''}."
        )
    if built and completed and built[0] < completed:
        connection.execute("detach good")
        return (
            f"{home.warehouse_db} is that of cycle {built[0]}, although cycle {completed} was "
            f"published. {_AGAIN}"
        )
    return None


def pair_flaw(home: Home, connection: duckdb.DuckDBPyConnection) -> str | None:
    """Say why a ledger and the warehouse beside it do not belong together, if so."""
    try:
        return attach_last_good(home, connection)
    except UsageError as error:
        return str(error)


def need_last_good(home: Home, connection: duckdb.DuckDBPyConnection) -> None:
    """Attach the last good warehouse as `good`.

    Raises:
        UsageError: there is none, or it is not that of the ledger; the message says what to do.
    """
    if why := attach_last_good(home, connection):
        raise UsageError(why)
    if not home.warehouse_db.exists():
        raise home.has_no_warehouse()


def _built_from(connection: duckdb.DuckDBPyConnection) -> tuple[int, int, str] | None:
    """Read which cycle a warehouse is of, and the event that opened it; None where it says none."""
    try:
        return connection.execute(f"from good.{ORIGIN}").fetchone()
    except duckdb.CatalogException:  # an older Rollcall published it
        return None

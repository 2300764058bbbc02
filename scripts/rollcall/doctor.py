"""What `rollcall doctor` says: what is installed, configured and out of order."""

import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import metadata
from shlex import quote

import duckdb

from rollcall import archived, databases
from rollcall.clock import iso, now
from rollcall.cycle.built_from import changed_since, named
from rollcall.cycle.verify import check_ledger
from rollcall.errors import BusyError, RollcallError, UsageError
from rollcall.home import Home, Patience
from rollcall.ledger.entries import cutoff_ahead
from rollcall.ledger.stages import check_pilots
from rollcall.ledger.version import VERSION, version_of
from rollcall.project import version

_PACKAGES = ("dbt-core", "dbt-duckdb", "duckdb", "pyarrow", "numpy")
_ROOM_BYTES = 1 << 30
_SAMPLE_BYTES = 256 << 20
"""How much of the archive is hashed at a time."""
_PAIR = "warehouse and ledger"
_STRIDE = 7919
"""How far apart, in files, the samples of two days begin: a prime, so that all come up."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what it is, whether it is in order, and what to do when it is not."""

    name: str
    is_good: bool
    detail: str


def examine(home: Home) -> list[Check]:
    """Look at the installation, the contracts and the data directory; nothing is changed."""
    return [
        _python(),
        Check("Rollcall", True, version()),
        *(_package(name) for name in _PACKAGES),
        _contracts(home),
        *_home(home),
    ]


def _python() -> Check:
    found = ".".join(str(part) for part in sys.version_info[:3])
    return Check("Python", sys.version_info >= (3, 11), found)


def _package(name: str) -> Check:
    try:
        return Check(name, True, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Check(name, False, "not installed; run `make setup`")


def _contracts(home: Home) -> Check:
    try:
        contracts = home.project.contracts()
    except (RollcallError, OSError) as error:
        return Check("contracts", False, str(error))
    return Check(
        "contracts",
        True,
        f"{len(contracts.sources)} sources, {len(contracts.feeds)} feeds, "
        f"{len(contracts.layouts)} layouts",
    )


def _home(home: Home) -> list[Check]:
    if not home.path.is_dir():
        return [Check("data directory", False, f"{home.path} is not there; run `rollcall init`")]
    free = shutil.disk_usage(home.path).free
    room = Check(
        "room",
        free > _ROOM_BYTES,
        f"{free / (1 << 30):.1f} GiB free" + ("" if free > _ROOM_BYTES else "; make room"),
    )
    place = Check("data directory", True, str(home.path))
    project = Check("project", True, str(home.project.path))
    checks = [
        place,
        project,
        _modes(home),
        room,
        *_landing(home),
        _archive(home),
        _warehouse(home),
    ]
    return [check for check in checks if check.name != _PAIR or check.detail != checks[-1].detail]


def _landing(home: Home) -> list[Check]:
    """Look at the landing database and, where it can be read, at the ledger in it."""
    name = "landing database"
    if why := databases.flaw(home.landing_db):
        return [Check(name, False, databases.landing_is_damaged(home, why))]
    try:
        with replace(home, patience=Patience(0)).landing(
            read_only=True, of_any_version=True
        ) as connection:
            version = version_of(connection)
            if version != VERSION:
                todo = "run `rollcall init`, which brings it up to date"
                return [Check("ledger", False, f"version {version}, not {VERSION}; {todo}")]
            head, event_count, problems = check_ledger(connection)
            chain = Check(
                "ledger",
                not problems,
                f"version {version}, {event_count} events, head {head[:12]}"
                if not problems
                else f"{problems[0]} `rollcall verify` lists all",
            )
            readable = Check(name, True, "every table can be read")
            return [readable, chain, *_cycles(home, connection), *_pilots(home, connection)]
    except BusyError as error:
        return [Check(name, True, f"not looked into: {error}")]
    except UsageError as error:
        return [Check(name, False, str(error))]


def _pilots(home: Home, connection: duckdb.DuckDBPyConnection) -> list[Check]:
    """Say where a pilot stages what nothing needs; of contracts themselves others say it."""
    with suppress(RollcallError):
        contracts = home.project.contracts()
        try:
            check_pilots(connection, contracts)
        except RollcallError as error:
            return [Check("pilots", False, str(error))]
    return []


def _cycles(home: Home, connection: duckdb.DuckDBPyConnection) -> list[Check]:
    """Look at the last cycle, and whether the warehouse is of it."""
    checks = []
    if why := databases.pair_flaw(home, connection):
        checks.append(Check(_PAIR, False, why))
    last = connection.execute(
        "select cycle_id, status, cutoff_at from landing.cycles order by cycle_id desc limit 1"
    ).fetchone()
    if last is None:
        return [*checks, Check("cycle", False, "none has completed; run `rollcall cycle`")]
    cycle_id, status, cutoff_at = last
    is_over = status in ("completed", "skipped")
    again = "" if is_over else "; run `rollcall cycle`, which repeats it and says why it failed"
    checks.append(Check("cycle", is_over, f"{cycle_id}, cut-off {iso(cutoff_at)}: {status}{again}"))
    checks.append(_clock(connection))
    if changed := changed_since(connection, home):
        detail = f"changed since the last good cycle: {named(changed)}; `rollcall cycle` builds"
        checks.append(Check("code and seeds", True, detail))
    return checks


def _clock(connection: duckdb.DuckDBPyConnection) -> Check:
    """Say whether a clock was ahead when a cycle ran: its cut-off has not come yet."""
    ahead = cutoff_ahead(connection, now())
    detail = (
        f"the newest cut-off, {iso(ahead)}, has not come yet; where the clock is right, run "
        "`rollcall cycle --skip-ahead --reason '...'`"
        if ahead
        else "no cut-off lies ahead"
    )
    return Check("clock", ahead is None, detail)


def _modes(home: Home) -> Check:
    """Look for what others than the owner of the data directory can read or write."""
    found = list(home.open_to_others())
    if not found:
        return Check("modes", True, "only the owner can read or write what is in it")
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    close = f"run `chmod -R go= {quote(str(home.path))}`"
    return Check("modes", False, f"open to others: {found[0]}{more}; {close}")


def _warehouse(home: Home) -> Check:
    if not home.warehouse_db.exists():
        return Check("warehouse", False, "missing; a cycle or `rollcall restore` makes it")
    why = databases.flaw(home.warehouse_db)
    return Check(
        "warehouse",
        why is None,
        databases.warehouse_is_damaged(home, why) if why else "every table can be read",
    )


def _archive(home: Home) -> Check:
    """Hash archived files, another part of a large archive every day."""
    files = sorted(home.archive.glob("??/*"))
    start = now().toordinal() % max(len(files), 1) * _STRIDE % max(len(files), 1)
    hashed = byte_count = 0
    for path in files[start:] + files[:start]:
        if byte_count > _SAMPLE_BYTES:
            break
        if why := archived.flaw(path, path.name):
            return Check("archive", False, f"{path} {why}; `rollcall verify` lists all damage")
        hashed, byte_count = hashed + 1, byte_count + path.stat().st_size
    return Check("archive", True, f"{hashed} of {len(files)} files hashed, all as they were")

"""What `rollcall doctor` says: what is installed, configured and out of order."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from shlex import quote

import duckdb

from rollcall.clock import iso, now
from rollcall.cycle.built_from import changed_since_last_good, named
from rollcall.errors import RollcallError
from rollcall.home import Home
from rollcall.ledger.entries import cutoff_ahead

_PACKAGES = ("dbt-core", "dbt-duckdb", "duckdb", "pyarrow", "numpy")
_ROOM_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what it is, whether it is in order, and what to do when it is not."""

    name: str
    is_good: bool
    detail: str


def examine(home: Home) -> list[Check]:
    """Look at the installation, the contracts and the data directory; nothing is changed."""
    return [_python(), *(_package(name) for name in _PACKAGES), _contracts(home), *_home(home)]


def _python() -> Check:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Check("Python", sys.version_info >= (3, 11), version)


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
    landing = Check(
        "landing database",
        home.landing_db.exists(),
        "there" if home.landing_db.exists() else "missing; run `rollcall init`",
    )
    warehouse = Check(
        "warehouse",
        home.warehouse_db.exists(),
        "there" if home.warehouse_db.exists() else "no cycle has completed; run `rollcall cycle`",
    )
    modes = _modes(home)
    place = Check("data directory", True, str(home.path))
    project = Check("project", True, str(home.project.path))
    checks = [place, project, modes, room, landing, warehouse, *_clock(home)]
    if home.warehouse_db.exists() and (changed := changed_since_last_good(home)):
        detail = f"changed since the last good cycle: {named(changed)}; `rollcall cycle` builds"
        checks.append(Check("code and seeds", True, detail))
    return checks


def _clock(home: Home) -> Iterator[Check]:
    """Say whether a clock was ahead when a cycle ran: its cut-off has not come yet."""
    if not home.landing_db.exists():
        return
    with suppress(duckdb.Error), home.landing(read_only=True) as connection:
        ahead = cutoff_ahead(connection, now())
        detail = (
            f"the newest cut-off, {iso(ahead)}, has not come yet; where the clock is right, run "
            "`rollcall cycle --skip-ahead --reason '...'`"
            if ahead
            else "no cut-off lies ahead"
        )
        yield Check("clock", ahead is None, detail)


def _modes(home: Home) -> Check:
    """Look for what others than the owner of the data directory can read or write."""
    found = list(home.open_to_others())
    if not found:
        return Check("modes", True, "only the owner can read or write what is in it")
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    close = f"run `chmod -R go= {quote(str(home.path))}`"
    return Check("modes", False, f"open to others: {found[0]}{more}; {close}")

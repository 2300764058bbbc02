"""What a warehouse is built from besides what came: code and seeds, file by file.

Each cycle keeps listings of both in the archive, one line for each file: its SHA-256 and its name.
"""

import hashlib
import io
from collections.abc import Sequence

import duckdb

from rollcall.archived import read_archived
from rollcall.errors import DamagedBytesError
from rollcall.home import Home
from rollcall.landing.archive import keep
from rollcall.project import CODE, Project

_SEEDS = ("seed-paths",)


def code_version(project: Project) -> str:
    """Hash what decides the warehouse's tables: models, macros, contracts and reference seeds."""
    return _sha256(_code(project))


def keep_code(home: Home) -> str:
    """Archive the listing of the code; returns its hash, which is the version of the code."""
    return _keep_text(home, _code(home.project))


def keep_seeds(home: Home) -> str:
    """Archive every seed and a listing of them; returns the hash of the listing.

    It names the bytes that were archived, also when somebody edits a seed meanwhile.
    """
    seeds = [(name, path) for name, path in home.project.files(_SEEDS) if path.suffix == ".csv"]
    listing = ""
    for name, path in seeds:
        with path.open("rb") as stream:
            listing += f"{keep(home.archive, stream).sha256} {name}\n"
    return _keep_text(home, listing)


def changed_since_last_good(home: Home) -> list[str]:
    """Name the files of code and seeds that differ from those of the last good cycle.

    Seeds come first: what a district changes are most often its rules. Before the first cycle
    nothing differs.

    Raises:
        UsageError: nothing has landed in this data directory yet.
    """
    with home.landing(read_only=True) as connection:
        return changed_since(connection, home)


def changed_since(connection: duckdb.DuckDBPyConnection, home: Home) -> list[str]:
    """Name those files; `connection` has the ledger."""
    built = connection.execute(
        "select code_version, seeds_sha256 from landing.cycles where status = 'completed' "
        "order by cycle_id desc limit 1"
    ).fetchone()
    found: set[str] = set()
    today = (_code(home.project), _seeds(home.project))
    for then, now in zip(built or (), today, strict=False):
        if then != _sha256(now):
            try:
                before = read_archived(home, then, "the listing").decode()
            except DamagedBytesError:  # that something changed is known; what, is not
                before = ""
            found |= {line.partition(" ")[2] for line in {*before.split("\n")} ^ {*now.split("\n")}}
    return sorted(found - {""}, key=lambda name: ("seeds/" not in name, name))


def named(files: Sequence[str], most: int = 3) -> str:
    """Name the first files in a sentence, and say how many more there are."""
    more = len(files) - most
    return ", ".join(files[:most]) + (f" and {more} more" if more > 0 else "")


def _code(project: Project) -> str:
    return project.listing(CODE, ("seeds/contracts", "seeds/reference"))


def _seeds(project: Project) -> str:
    lines = project.listing(_SEEDS).splitlines(keepends=True)
    return "".join(line for line in lines if line.endswith(".csv\n"))


def _keep_text(home: Home, text: str) -> str:
    return keep(home.archive, io.BytesIO(text.encode())).sha256


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

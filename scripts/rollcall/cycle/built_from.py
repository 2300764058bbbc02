"""What a warehouse is built from besides what came: code and seeds, file by file.

Each cycle keeps listings of both in the archive, one line for each file: its SHA-256 and its name.
"""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

from rollcall.home import PROJECT_DIR, Home, archive_path
from rollcall.landing.archive import keep

_CODE = (
    *("dbt_project.yml", "selectors.yml", "macros", "models", "snapshots"),
    *("seeds/contracts", "seeds/reference"),
)


def listing(project: Path, names: Iterable[str]) -> str:
    """List files and all that is in folders of a project, by hash and name, in a total order.

    Hidden files and Python, which has no part in a build, are left out.
    """
    lines = []
    for name in names:
        path = project / name
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file() and file.name[0] != "." and file.suffix not in (".py", ".pyc"):
                sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
                lines.append(f"{sha256} {file.relative_to(project)}\n")
    return "".join(lines)


def code_version(project: Path | None = None) -> str:
    """Hash what decides the warehouse's tables: models, macros, contracts and reference seeds."""
    return _sha256(listing(project or PROJECT_DIR, _CODE))


def keep_code(home: Home) -> str:
    """Archive the listing of the code; returns its hash, which is the version of the code."""
    return _keep_text(home, listing(PROJECT_DIR, _CODE))


def keep_seeds(home: Home) -> str:
    """Archive every seed and a listing of them; returns the hash of the listing.

    It names the bytes that were archived, also when somebody edits a seed meanwhile.
    """
    seeds = sorted((PROJECT_DIR / "seeds").rglob("*.csv"))
    kept = [(keep(home.archive, path).sha256, path.relative_to(PROJECT_DIR)) for path in seeds]
    return _keep_text(home, "".join(f"{sha256} {name}\n" for sha256, name in kept))


def changed_since_last_good(home: Home) -> list[str]:
    """Name the files of code and seeds that differ from those of the last good cycle.

    Before the first cycle nothing differs.

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
    for then, now in zip(built or (), (listing(PROJECT_DIR, _CODE), _seeds()), strict=False):
        if then != _sha256(now):
            kept = archive_path(home.archive, then)
            before = kept.read_text(encoding="utf-8") if kept.exists() else ""
            found |= {line.partition(" ")[2] for line in {*before.split("\n")} ^ {*now.split("\n")}}
    return sorted(found - {""})


def named(files: Sequence[str], most: int = 3) -> str:
    """Name the first files in a sentence, and say how many more there are."""
    more = len(files) - most
    return ", ".join(files[:most]) + (f" and {more} more" if more > 0 else "")


def _seeds() -> str:
    return "".join(
        line
        for line in listing(PROJECT_DIR, ["seeds"]).splitlines(keepends=True)
        if line.endswith(".csv\n")
    )


def _keep_text(home: Home, text: str) -> str:
    path = home.spool / "listing"
    path.write_text(text, encoding="utf-8")
    kept = keep(home.archive, path)
    path.unlink()
    return kept.sha256


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

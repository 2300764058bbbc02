"""The warehouse: dbt builds it aside, and one rename puts it in place."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from rollcall.errors import RollcallError, UsageError
from rollcall.home import PROJECT_DIR, Home

_BUILT_FROM = (
    *("dbt_project.yml", "macros", "models", "snapshots"),
    *("seeds/contracts", "seeds/reference"),
)
_FAILED = frozenset({"error", "fail", "runtime error"})
_WARNED = "warn"


@dataclass(frozen=True, slots=True)
class Failure:
    """A dbt node that failed or warned: its name, kind (model, test, seed), a one-line message.

    `sentences` holds what the test says of every row to mend, where it says something.
    """

    name: str
    kind: str
    message: str
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Build:
    """What one dbt build did: nodes run, those that failed, and tests that warned.

    `overruled` are tests that failed and do not keep the build from being published.
    """

    node_count: int
    failures: tuple[Failure, ...]
    warnings: tuple[Failure, ...]
    overruled: tuple[Failure, ...] = ()


def code_version(project: Path = PROJECT_DIR) -> str:
    """Hash what decides the warehouse's tables: models, macros, contracts and reference seeds.

    Files that lie about unfinished (hidden, compiled) do not count.
    """
    return _hash_files(project, list(_files(project, _BUILT_FROM)))


def seed_files(project: Path = PROJECT_DIR) -> list[Path]:
    """Return every seed, in a total order."""
    return sorted((project / "seeds").rglob("*.csv"))


def _files(project: Path, names: tuple[str, ...]) -> Iterator[Path]:
    for name in names:
        path = project / name
        if path.is_file():
            yield path
        else:
            yield from sorted(p for p in path.rglob("*") if p.is_file() and p.name[0] != ".")


def _hash_files(project: Path, paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.relative_to(project)}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def start_from_last_good(home: Home) -> None:
    """Put a copy of the last good warehouse where the next one is built; throw away any remains."""
    discard(home.building_db)
    if home.warehouse_db.exists():
        shutil.copyfile(home.warehouse_db, home.building_db)
        home.building_db.chmod(0o600)


def discard(database: Path) -> None:
    """Throw away a database that is not to be kept, such as a warehouse in the making."""
    database.unlink(missing_ok=True)
    _wal(database).unlink(missing_ok=True)


def build(
    home: Home,
    lock: int,
    *,
    full_refresh: bool,
    project: Path = PROJECT_DIR,
    is_tested: bool = True,
    progress: Callable[[int, int, str], None] = lambda *_: None,
) -> Build:
    """Run `dbt build` for the newest cycle in `building.duckdb`.

    Args:
        home: the data directory, locked.
        lock: descriptor of the lock; dbt keeps it, so that a killed parent frees nothing.
        full_refresh: rebuild every incremental table, because code or contracts changed.
        project: the dbt project to build with.
        is_tested: run the tests of what was built.
        progress: receives (nodes done, nodes in all, name of the last one).

    Raises:
        RollcallError: dbt could not run at all; the message says where its log is.
    """
    arguments = ["build", "--target=cycle", "--exclude-resource-type=unit_test"]
    if full_refresh:
        arguments.append("--full-refresh")
    if not is_tested:
        arguments.append("--exclude-resource-type=test")
    return _run_dbt(home, lock, arguments, home.building_db, progress, project)


def run_tests(
    home: Home, lock: int, progress: Callable[[int, int, str], None] = lambda *_: None
) -> Build:
    """Run every test of the warehouse in the making; a failure keeps none from being run.

    Raises:
        RollcallError: dbt could not run at all; the message says where its log is.
    """
    arguments = ["test", "--target=cycle", "--exclude-resource-type=unit_test"]
    return _run_dbt(home, lock, arguments, home.building_db, progress)


@contextmanager
def compared(
    home: Home, lock: int, progress: Callable[[int, int, str], None] = lambda *_: None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Compare what has landed with the last good cycle, in a copy of it; yields that copy.

    Raises:
        RollcallError: there is no warehouse to compare with, or a model of reconciliation failed.
    """
    if not home.warehouse_db.exists():
        raise UsageError(
            f"No cycle of {home.path} has been published yet, so there is nothing to compare with; "
            "run rollcall cycle first."
        )
    try:
        shutil.copyfile(home.warehouse_db, home.reconciling_db)
        home.reconciling_db.chmod(0o600)
        arguments = ["run", "--target=reconcile", "--select=tag:reconciliation"]
        built = _run_dbt(home, lock, arguments, home.reconciling_db, progress)
        if built.failures:
            failure = built.failures[0]
            raise RollcallError(
                f"The exports could not be compared: {failure.name}: {failure.message} "
                f"(dbt's log: {home.logs / 'dbt.log'})."
            )
        with duckdb.connect(str(home.reconciling_db), read_only=True) as connection:
            yield connection
    finally:
        discard(home.reconciling_db)


def _run_dbt(
    home: Home,
    lock: int,
    arguments: list[str],
    database: Path,
    progress: Callable[[int, int, str], None],
    project: Path = PROJECT_DIR,
) -> Build:
    """Run dbt on a database of the data directory and return what it did."""
    results = home.dbt_target / "run_results.json"
    results.unlink(missing_ok=True)
    command = [str(Path(sys.executable).with_name("dbt")), "--log-format=json", *arguments]
    environment = os.environ | {
        "ROLLCALL_HOME": str(home.path.resolve()),
        "DBT_PROFILES_DIR": str(project / "profiles"),
        "DBT_TARGET_PATH": str(home.dbt_target.resolve()),
        "DBT_LOG_PATH": str(home.logs.resolve()),
    }
    last_words = ""
    with subprocess.Popen(
        command,
        cwd=project,
        env=environment,
        pass_fds=(lock,),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None  # noqa: S101  (asked for above)
        for line in process.stdout:
            last_words = _follow(line, progress) or last_words
    if not results.exists():
        raise RollcallError(
            f"dbt could not build the warehouse: {last_words or 'it said nothing'} "
            f"(its log: {home.logs / 'dbt.log'})."
        )
    return _read_results(results, home, database)


def _follow(line: str, progress: Callable[[int, int, str], None]) -> str | None:
    """Report a finished node; return what dbt says in error."""
    try:
        event = json.loads(line)
    except ValueError:
        return line.strip() or None
    data = event.get("data", {})
    if "index" in data and "total" in data and "execution_time" in data:
        progress(data["index"], data["total"], data.get("node_info", {}).get("node_name", ""))
    if event.get("info", {}).get("level") == "error":
        return " ".join(str(event["info"].get("msg", "")).split())
    return None


def _read_results(path: Path, home: Home, database: Path) -> Build:
    results: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["results"]
    failures: list[Failure] = []
    warnings: list[Failure] = []
    for result in results:
        if result["status"] in _FAILED or result["status"] == _WARNED:
            kind, _, *name = result["unique_id"].split(".")
            message = " ".join((result["message"] or "").split())
            sentences: tuple[str, ...] = ()
            if result["status"] in ("fail", _WARNED):
                sentences = _sentences(home, database, result["compiled_code"])
                message = " ".join(sentences[:3]) or message
            reported = warnings if result["status"] == _WARNED else failures
            reported.append(Failure(name[0], kind, message, sentences))
    return Build(len(results), tuple(failures), tuple(warnings))


def _sentences(home: Home, database: Path, test: str) -> tuple[str, ...]:
    """Return what a test says of the rows to mend; nothing without such a column."""
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute(f"attach '{home.landing_db}' as landing (read_only)")
        try:
            found = connection.execute(f"select mend from ({test})").fetchall()
        except duckdb.Error:
            return ()
    return tuple(sentence for (sentence,) in found)


def publish(home: Home) -> None:
    """Put the built warehouse in place of the last good one, in one rename.

    A reader that keeps the old file open keeps seeing the old state.
    """
    with duckdb.connect(str(home.building_db)) as connection:
        connection.execute("checkpoint")
    _wal(home.building_db).unlink(missing_ok=True)
    home.building_db.chmod(0o400)
    _sync(home.building_db)
    _wal(home.warehouse_db).unlink(missing_ok=True)
    home.building_db.replace(home.warehouse_db)
    _sync(home.path)


def _wal(database: Path) -> Path:
    return database.with_name(database.name + ".wal")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Backup: what a data directory needs to begin again elsewhere, copied while readers read.

A backup is laid out as a data directory, with the project beside it in `project/`. The archive is
added to, file by file; databases and project are made aside and take their places when all of it
has been checked, so that a backup that is killed leaves the one before.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from rollcall import databases
from rollcall.archived import flaw
from rollcall.cycle.verify import archived_files, check_ledger
from rollcall.errors import ExitCode, UsageError
from rollcall.folders import put_in_place, sync
from rollcall.home import Home, archive_path, wal_of
from rollcall.landing.archive import keep
from rollcall.ledger.sql import literal


@dataclass(slots=True)
class BackupReport:
    """Where a backup is, what was copied to it, the head of its ledger, and what is wrong.

    `is_taken` unless the ledger itself is not whole: then the backup before is left.
    """

    path: str
    copied_count: int = 0
    archived_count: int = 0
    head: str = ""
    has_warehouse: bool = False
    is_taken: bool = False
    problems: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> ExitCode:
        """The code a scheduler sees."""
        return ExitCode.ATTENTION if self.problems else ExitCode.DONE


def back_up(
    home: Home, folder: Path, progress: Callable[[int, int, str], None] = lambda *_: None
) -> BackupReport:
    """Copy archive, ledger, last good warehouse and project into a folder, and check the copy.

    Args:
        home: the data directory; it is held meanwhile, so that nothing is written.
        folder: a new folder, or an older backup of the same data directory, which is brought up to
            date.
        progress: receives (archived files done, in all, name of the last one).

    Raises:
        UsageError: there is nothing to back up, or the folder cannot take a backup of it.
        BusyError: another process writes in this data directory.
    """
    _check_folder(home, folder)
    report = BackupReport(str(folder))
    target, making = Home(folder), Home(folder / ".making")
    with home.lock():
        target.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.archive.mkdir(mode=0o700, exist_ok=True)
        shutil.rmtree(making.path, ignore_errors=True)
        making.path.mkdir(mode=0o700)
        report.problems += _add_archive(home, target, report, progress)
        _copy_databases(home, making, report)
        home.project.copy_to(making.path / "project")
        _make_movable(home, making.path / "project")
    report.is_taken = _check(making, target, report)
    if report.is_taken:
        put_in_place(making.path / "project", folder / "project")
        target.warehouse_db.unlink(missing_ok=True)  # never one beside a ledger of another day
        making.landing_db.replace(target.landing_db)
        if making.warehouse_db.exists():
            making.warehouse_db.replace(target.warehouse_db)
        sync(folder)
    shutil.rmtree(making.path)
    return report


def _check_folder(home: Home, folder: Path) -> None:
    if not home.path.is_dir():
        raise UsageError(f"There is nothing in {home.path} to back up.")
    if folder.resolve().is_relative_to(home.path.resolve()):
        raise UsageError(f"{folder} lies in the data directory {home.path}; name another folder.")
    first, there = _first_event(home), Home(folder)
    if why := databases.flaw(there.landing_db):
        raise UsageError(f"The backup in {folder} is damaged ({why}); name another folder.")
    if there.landing_db.exists():
        is_ours = first == _first_event(there)
    elif folder.exists():  # new, or a first backup that was killed
        is_ours = {path.name for path in folder.iterdir()} <= {"archive", ".making", "project"}
    else:
        is_ours = True
    if not is_ours:
        raise UsageError(
            f"{folder} holds something else than a backup of {home.path}; name another folder."
        )


def _first_event(home: Home) -> str | None:
    with home.landing(read_only=True, of_any_version=True) as connection:
        found = connection.execute(
            "select min_by(sha256, event_number) from landing.events"
        ).fetchone()
    return found[0] if found else None


def _add_archive(
    home: Home, target: Home, report: BackupReport, progress: Callable[[int, int, str], None]
) -> Iterator[str]:
    """Copy what the backup has not yet, or has damaged; says what is damaged here."""
    for rest in target.archive.glob(".incoming-*"):
        rest.unlink()
    files = sorted(home.archive.glob("??/*"))
    for place, path in enumerate(files, 1):
        if flaw(archive_path(target.archive, path.name), path.name):
            if why := flaw(path, path.name):
                yield f"{path} {why}, so that it is not in the backup."
            else:
                with path.open("rb") as stream:
                    keep(target.archive, stream)
                report.copied_count += 1
        report.archived_count += 1
        progress(place, len(files), path.name)


def _copy_databases(home: Home, making: Home, report: BackupReport) -> None:
    """Copy both databases as they are; nobody writes, and readers may read on."""
    with home.landing(read_only=True, of_any_version=True) as connection:
        shutil.copyfile(home.landing_db, making.landing_db)
        if wal_of(home.landing_db).exists():
            shutil.copyfile(wal_of(home.landing_db), wal_of(making.landing_db))
        why = databases.attach_last_good(home, connection)
    if why:
        report.problems.append(f"{why} The backup has no warehouse.")
    elif home.warehouse_db.exists():
        shutil.copyfile(home.warehouse_db, making.warehouse_db)
        making.warehouse_db.chmod(0o400)
        report.has_warehouse = True
    making.landing_db.chmod(0o600)


def _make_movable(home: Home, project: Path) -> None:
    """Leave Rollcall itself out of a district's project: where it is restored, it is installed."""
    shutil.rmtree(project / "dbt_packages" / "rollcall", ignore_errors=True)
    packages = home.project.path / "packages.yml"
    if packages.exists():
        shutil.copyfile(packages, project / packages.name)


def _check(making: Home, target: Home, report: BackupReport) -> bool:
    """Read the whole copy, and say whether it may take the place of an older backup."""
    with duckdb.connect() as connection:
        connection.execute(f"attach {literal(str(making.landing_db))} as store")
        connection.execute("checkpoint store")
    found: list[str] = []
    for database in (making.landing_db, making.warehouse_db):
        if why := databases.flaw(database):
            found.append(f"The copy of {database.name} is damaged ({why}).")
        if database.exists():
            sync(database)
    with making.landing(read_only=True, of_any_version=True) as connection:
        report.head, _, problems = check_ledger(connection)
        found += problems
        for sha256, what in archived_files(connection):
            if not archive_path(target.archive, sha256).exists():
                report.problems.append(f"The archive no longer holds {what} ({sha256}).")
    report.problems += found
    return not found

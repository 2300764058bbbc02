"""The data directory: where databases, archive and reports live, and who may write there."""

import fcntl
import os
import shutil
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from rollcall.errors import BusyError, UsageError
from rollcall.project import SHIPPED, Project

_READER_PATIENCE_SECONDS = 600
_LANDING_MEMORY = "800MB"


@dataclass(frozen=True, slots=True)
class Home:
    """Paths of the data directory of one district, and the dbt project that fills it."""

    path: Path
    project: Project = SHIPPED

    @property
    def landing_db(self) -> Path:
        """The loader's database: raw tables and the ledger."""
        return self.path / "landing.duckdb"

    @property
    def warehouse_db(self) -> Path:
        """The last good cycle, complete. Read-only; replaced as a whole."""
        return self.path / "warehouse.duckdb"

    @property
    def building_db(self) -> Path:
        """A cycle in the making, or a copy that is compared; thrown away unless it is published."""
        return self.path / "building.duckdb"

    @property
    def archive(self) -> Path:
        """Delivered bytes, named by their SHA-256."""
        return self.path / "archive"

    @property
    def spool(self) -> Path:
        """Members of a zip while they are landed; empty otherwise."""
        return self.path / "spool"

    @property
    def rejects(self) -> Path:
        """Rejected records written for their senders."""
        return self.path / "rejects"

    @property
    def report(self) -> Path:
        """What people read: pages, workbook and CSVs; replaced as a whole."""
        return self.path / "report"

    @property
    def replaying(self) -> "Home":
        """Where the cycles are rebuilt from archive and ledger; thrown away afterwards."""
        folder = self.path / "replaying"
        return Home(folder, Project(folder / "project"))

    @property
    def logs(self) -> Path:
        """Logs of rollcall and of dbt."""
        return self.path / "logs"

    @property
    def failure_log(self) -> Path:
        """Where the trace of an unforeseen failure goes."""
        return self.logs / "rollcall.log"

    @property
    def dbt_target(self) -> Path:
        """What dbt compiles and remembers for the cycles of this data directory."""
        return self.path / "target"

    @property
    def dbt_state(self) -> Path:
        """Dbt's artifacts of the last good cycle, for `--state`."""
        return self.path / "state"

    @property
    def filled_by(self) -> Path | None:
        """The folder of the district's own project that fills it; None for Rollcall's own."""
        note = self._project_note
        return Path(note.read_text(encoding="utf-8").strip()) if note.is_file() else None

    @property
    def _project_note(self) -> Path:
        return self.path / ".project"

    def prepare(self) -> None:
        """Make the data directory's folders, readable by their owner only; note the project.

        Raises:
            UsageError: the data directory cannot be written, in one sentence that says why.
        """
        try:
            for folder in (self.path, self.archive, self.spool, self.logs):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            probe = self.path / ".writable"
            probe.write_bytes(b"rollcall")
            probe.unlink()
            if self.project == SHIPPED:
                self._project_note.unlink(missing_ok=True)
            elif self.filled_by != self.project.path:
                self._project_note.touch(mode=0o600)
                self._project_note.write_text(f"{self.project.path}\n", encoding="utf-8")
        except OSError as error:
            raise UsageError(
                f"The data directory {self.path} cannot be written ({error.strerror}); "
                "choose another with --home or $ROLLCALL_HOME, or make room and set permissions."
            ) from error

    def log_failure(self) -> bool:
        """Keep the trace of the exception being handled; says whether that was possible."""
        try:
            with self.failure_log.open("a", encoding="utf-8") as log:
                log.write(traceback.format_exc() + "\n")
        except OSError:
            return False
        return True

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the data directory for one writer; dbt runs in the process that holds it.

        Raises:
            BusyError: another process holds the data directory.
        """
        descriptor = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BusyError(
                    f"Another rollcall process is writing in {self.path}; "
                    "wait for it to end and try again."
                ) from None
            self.empty_spool()
            yield
        finally:
            os.close(descriptor)

    def empty_spool(self) -> None:
        """Remove what was unpacked for a delivery."""
        shutil.rmtree(self.spool, ignore_errors=True)
        self.spool.mkdir(mode=0o700, exist_ok=True)

    @contextmanager
    def landing(
        self, *, read_only: bool = False, say: Callable[[str], None] = lambda _: None
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the landing database, waiting for a reader of it to let go.

        Raises:
            BusyError: a reader kept it open for ten minutes.
            UsageError: there is no landing database to read.
        """
        if read_only and not self.landing_db.exists():
            raise UsageError(
                f"There is nothing in {self.path} yet; "
                "`rollcall cycle` makes it, or name another home with --home."
            )
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            connection.execute(f"set memory_limit = '{_LANDING_MEMORY}'")
            # Records carry their own number; keeping the order of arrival costs a quarter more.
            connection.execute("set preserve_insertion_order = false")
            connection.execute(f"set temp_directory = '{self.spool}'")
            _attach_patiently(connection, self.landing_db, "store", read_only, say)
            connection.execute("use store")
            yield connection
        if not read_only:
            self.landing_db.chmod(0o600)

    def attach_last_good(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Attach the last good warehouse as `good` to be read, when there is one."""
        if self.warehouse_db.exists():
            path = str(self.warehouse_db).replace("'", "''")
            connection.execute(f"attach '{path}' as good (read_only)")

    @contextmanager
    def published(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the last good warehouse.

        Raises:
            UsageError: nothing has been published.
        """
        if not self.warehouse_db.exists():
            raise UsageError(
                f"No cycle of {self.path} has been published yet; run `rollcall cycle` first."
            )
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            connection.execute(f"attach '{self.warehouse_db}' as warehouse (read_only)")
            connection.execute("use warehouse")
            yield connection


def archive_path(archive: Path, sha256: str) -> Path:
    """Return where bytes of that hash are kept."""
    return archive / sha256[:2] / sha256


def _attach_patiently(
    connection: duckdb.DuckDBPyConnection,
    database: Path,
    name: str,
    read_only: bool,
    say: Callable[[str], None],
) -> None:
    """Attach under a name: for writing another than its own, since file and schema share it."""
    deadline = time.monotonic() + _READER_PATIENCE_SECONDS
    mode = " (read_only)" if read_only else ""
    is_reported = False
    while True:
        try:
            connection.execute(f"attach '{database}' as {name}{mode}")
        except duckdb.IOException as error:
            if "lock" not in str(error).lower():
                raise
            if time.monotonic() > deadline:
                raise BusyError(
                    f"{database.name} is open in another program; close it there and try again."
                ) from error
            if not is_reported:
                say(f"Waiting: {database.name} is open in another program.")
                is_reported = True
            time.sleep(0.5)
        else:
            return

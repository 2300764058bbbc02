"""The data directory: where databases, archive and reports live, and who may write there."""

import errno
import fcntl
import os
import re
import shutil
import stat
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from tempfile import TemporaryFile

import duckdb

from rollcall.errors import BusyError, UsageError
from rollcall.ledger.sql import literal
from rollcall.ledger.version import check_version
from rollcall.project import SHIPPED, Project
from rollcall.sanitize import without_values

PATIENCE_SECONDS = 60
"""How long a command waits in all for other programs, unless it is told otherwise."""
_BETWEEN_TRIES_SECONDS = 0.5
_SMALL = 64 * 2**20
_OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OWN_FOLDERS = {"archive", "logs", "spool", "state", "target"}
"""What may stand in a data directory before its databases."""
_LANDING_MEMORY = "800MB"
_HELD_ELSEWHERE = "Could not set lock on file"
_HOLDER = re.compile(r"lock is held in (.*?PID \d+\)?)")
"""The program that holds a database and its process, as DuckDB names them."""


@dataclass(slots=True)
class Patience:
    """How many seconds a command still waits for databases that other programs hold.

    `say` receives what it waits for, at once and once for every holder.
    """

    seconds: float = PATIENCE_SECONDS
    say: Callable[[str], None] = lambda _: None
    _said: str = ""

    def wait(self, reason: str) -> None:
        """Wait a moment, or give up.

        Raises:
            BusyError: the time is over.
        """
        if self.seconds <= 0:
            raise BusyError(f"{reason}; close it there and try again, or wait longer by --wait.")
        if reason != self._said:
            self.say(f"Waiting up to {self.seconds:.0f} seconds: {reason}.")
            self._said = reason
        pause = min(_BETWEEN_TRIES_SECONDS, self.seconds)
        time.sleep(pause)
        self.seconds -= pause


@dataclass(frozen=True, slots=True)
class Home:
    """Paths of the data directory of one district, and the dbt project that fills it."""

    path: Path
    project: Project = SHIPPED
    patience: Patience = field(default_factory=Patience, compare=False)

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
        """Where the trace of an unforeseen failure goes, and what cycles had no need to build."""
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
            UsageError: the data directory cannot be written, or others can read it and that cannot
                be changed, in one sentence that says why.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._shut()
            for folder in (self.archive, self.spool, self.logs):
                folder.mkdir(mode=0o700, exist_ok=True)
            with TemporaryFile(dir=self.path) as probe:
                probe.write(b"rollcall")
            if self.project == SHIPPED:
                self._project_note.unlink(missing_ok=True)
            elif self.filled_by != self.project.path:
                self._project_note.touch(mode=0o600)
                self._project_note.write_text(f"{self.project.path}\n", encoding="utf-8")
        except OSError as error:
            raise self._not_writable(error) from error

    def _not_writable(self, error: OSError) -> UsageError:
        return UsageError(
            f"The data directory {self.path} cannot be written ({error.strerror}: "
            f"{error.filename or self.path}); "
            "choose another with --home or $ROLLCALL_HOME, or make room and set permissions."
        )

    def _shut(self) -> None:
        """Keep others out of a data directory that was made by hand, or by an earlier version.

        Raises:
            UsageError: it belongs to another account, or others may need what else is in it.
        """
        mode = self.path.stat().st_mode
        if not mode & _OF_OTHERS:
            return
        is_open = f"The data directory {self.path} is open to others (mode {stat.S_IMODE(mode):o})"
        others = {path.name for path in self.path.iterdir()} - _OWN_FOLDERS
        if others and not self.landing_db.exists():
            raise UsageError(
                f"{is_open} and holds {min(others)}; name a new folder, or close this one: "
                f"chmod go= {quote(str(self.path))}"
            )
        try:
            self.path.chmod(stat.S_IMODE(mode) & ~_OF_OTHERS)
        except PermissionError as error:
            raise UsageError(
                f"{is_open} and belongs to another account; name a new folder in it, or have it "
                "given to the account that runs Rollcall."
            ) from error
        self.patience.say(f"{is_open}; from now on only its owner can read it.")

    def open_to_others(self, *, with_archive: bool = True) -> Iterator[Path]:
        """Yield the data directory and what is in it where others than the owner have a right.

        Args:
            with_archive: look at the archive too, which may hold many files.
        """
        if self.path.stat().st_mode & _OF_OTHERS:
            yield self.path
        for folder, folders, files in os.walk(self.path):
            for name in (*folders, *files):
                path = f"{folder}/{name}"
                with suppress(FileNotFoundError):  # a reader's file may come and go
                    mode = os.lstat(path).st_mode
                    if mode & _OF_OTHERS and not stat.S_ISLNK(mode):
                        yield Path(path)
            if not with_archive:
                folders[:] = [name for name in folders if Path(folder, name) != self.archive]

    def log_failure(self, when: str = "A command failed") -> bool:
        """Keep the trace of the exception being handled; says whether that was possible.

        An error of the database is kept without what it quotes. `when` says what was being done.
        """
        return self.log(f"{when}:\n{without_values(traceback.format_exc())}")

    def log(self, text: str) -> bool:
        """Append to the log for engineers; says whether that was possible."""
        try:
            with self.failure_log.open("a", encoding="utf-8") as log:
                log.write(f"{text}\n")
        except OSError:
            return False
        return True

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the data directory for one writer; dbt runs in the process that holds it.

        Raises:
            BusyError: another process holds the data directory.
            UsageError: it cannot be written.
        """
        self._shut()
        try:
            descriptor = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._not_writable(error) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BusyError(
                    f"Another rollcall process is writing in {self.path}; "
                    "wait for it to end and try again."
                ) from None
            for path in self.open_to_others(with_archive=False):
                path.chmod(stat.S_IMODE(path.stat().st_mode) & ~_OF_OTHERS)
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
        self, *, read_only: bool = False, of_any_version: bool = False
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the landing database, waiting for another program to let go of it.

        Raises:
            BusyError: another program kept it open.
            UsageError: there is no landing database to read, it is lost, or of a version that this
                code does not know.
        """
        if not self.landing_db.exists() and self._has_been_used():
            raise UsageError(
                f"{self.landing_db} is missing, and with it the ledger of the archive or warehouse "
                "that stands beside it. Put it back from a backup, as docs/operations.md shows; to "
                "begin anew, name another data directory with --home."
            )
        if read_only and not self.landing_db.exists():
            raise UsageError(
                f"There is nothing in {self.path} yet; "
                "`rollcall cycle` makes it, or name another home with --home."
            )
        with self._connection() as connection:
            connection.execute(f"set memory_limit = '{_LANDING_MEMORY}'")
            # Records carry their own number; keeping the order of arrival costs a quarter more.
            connection.execute("set preserve_insertion_order = false")
            # Under another name than its own, since file and schema share that.
            self.attach(connection, self.landing_db, "store", "read_only" if read_only else "")
            connection.execute("use store")
            may_be_older = of_any_version or not read_only
            check_version(connection, self.path, may_be_older=may_be_older)
            yield connection

    def _has_been_used(self) -> bool:
        """Say whether there is what only a ledger can have come before."""
        return self.warehouse_db.exists() or any(self.archive.glob("??/*"))

    def has_no_warehouse(self) -> UsageError:
        """Say that there is no last good warehouse, and what makes it."""
        return UsageError(
            f"No warehouse has been published in {self.path}, or it is lost: `rollcall cycle` "
            "makes the first one, `rollcall restore` builds a lost one again."
        )

    @contextmanager
    def published(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the last good warehouse.

        Raises:
            BusyError: another program kept it open for writing.
            UsageError: nothing has been published.
        """
        if not self.warehouse_db.exists():
            raise self.has_no_warehouse()
        with self._connection() as connection:
            self.attach(connection, self.warehouse_db, "warehouse")
            connection.execute("use warehouse")
            yield connection

    @contextmanager
    def _connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            connection.execute(f"set temp_directory = {literal(str(self.spool))}")
            yield connection

    def attach_last_good(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Attach the last good warehouse as `good` to be read, when there is one."""
        if self.warehouse_db.exists():
            self.attach(connection, self.warehouse_db, "good")

    def wait_for_writers(self, database: Path) -> None:
        """Wait until no other program has a database open for writing.

        It asks for the lock that DuckDB takes and no more, since to attach a database takes longer.

        Raises:
            BusyError: another program kept it open.
        """
        if not database.is_file():
            return
        with database.open("rb") as stream:
            try:
                fcntl.lockf(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                with self._connection() as connection:
                    self.attach(connection, database, "held")

    def attach(
        self,
        connection: duckdb.DuckDBPyConnection,
        database: Path,
        name: str,
        options: str = "read_only",
    ) -> None:
        """Attach a database under a name, waiting for another program to let go of it.

        Raises:
            BusyError: another program kept it open.
            UsageError: the account that runs this may not open it.
        """
        if database.exists() and not database.is_file():  # of a pipe, DuckDB would wait for ever
            raise duckdb.IOException(f"{database.name} is no file")
        sql = f"attach {literal(str(database))} as {name}" + (f" ({options})" if options else "")
        while True:
            try:
                connection.execute(sql)
            except duckdb.IOException as error:
                if os.strerror(errno.EACCES) in str(error):
                    raise UsageError(
                        f"{database} cannot be opened, because the account that runs this may not "
                        "(was a command run by another?); give what is in the data directory to "
                        f"one account: chown -R ACCOUNT {quote(str(self.path))}"
                    ) from error
                if _HELD_ELSEWHERE not in str(error):
                    raise
                holder = _HOLDER.search(str(error))
                by = holder.group(1) if holder else "another program"
                self.patience.wait(f"{database.name} is open in {by}")
            else:
                return


def wal_of(database: Path) -> Path:
    """Return where DuckDB writes what a database does not hold yet."""
    return database.with_name(f"{database.name}.wal")


def is_small(database: Path) -> bool:
    """Say whether a database has no table, or few, that DuckDB divides among threads.

    It divides those of more than 122,880 rows. Where all is small, two threads of dbt use two cores
    better: one plans a query while the other renders the next.
    """
    return not database.exists() or database.stat().st_size < _SMALL


def archive_path(archive: Path, sha256: str) -> Path:
    """Return where bytes of that hash are kept."""
    return archive / sha256[:2] / sha256

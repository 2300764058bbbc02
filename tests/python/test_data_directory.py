"""The data directory among others: other accounts, other programs, and a disk that is full."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

import pytest
from conftest import MANIFEST, ORG_ROWS, ORGS, ROLLCALL, SAMPLE, District

SampleRun = tuple[District, list[int]]
NOBODY = 65534
ROSTER = "sis/2026-09-01T010000Z.zip/users.csv"


def as_ordinary_user() -> list[str]:
    """Return what runs a command as an ordinary user, who may read what is installed here."""
    if os.getuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("the tests run as root, and setpriv is not there to become somebody else")
    reads = "-all,+dac_read_search"
    return [
        *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
        *(f"--inh-caps={reads}", f"--ambient-caps={reads}", f"--bounding-set={reads}"),
    ]


@pytest.fixture
def theirs() -> Iterator[District]:
    """Give an empty data directory of an ordinary user, which an administrator made for all."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        district = District(folder / "home", folder / "inbox")
        shutil.copytree(SAMPLE / "night_1", district.inbox)
        district.home.mkdir()
        district.home.chmod(0o777)
        if os.getuid() == 0:
            for path in (folder, district.home):
                os.chown(path, NOBODY, NOBODY)
        yield district


def run(district: District, *arguments: str, user: list[str], wait: int = 600) -> str:
    """Run `rollcall` with umask 000; gives what it printed."""
    environment = os.environ | {
        "ROLLCALL_HOME": str(district.home),
        "ROLLCALL_NOW": "2026-09-01T18:00:00Z",
        "HOME": str(district.home.parent),
    }
    done = subprocess.run(
        [*user, str(ROLLCALL), *arguments],
        env=environment,
        umask=0,
        capture_output=True,
        text=True,
        check=False,
        timeout=wait,
    )
    assert done.returncode in (0, 3), done.stdout + done.stderr
    return done.stdout + done.stderr


def open_to_others(folder: Path) -> dict[str, str]:
    """Return what lies in a folder and is not its owner's alone, with the mode of each."""
    found = {}
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            with suppress(FileNotFoundError):
                mode = (Path(parent) / name).lstat().st_mode
                if mode & 0o077 and not stat.S_ISLNK(mode):
                    found[f"{parent}/{name}".removeprefix(f"{folder}/")] = f"{mode & 0o777:o}"
    return found


@contextmanager
def watched(folder: Path) -> Iterator[dict[str, str]]:
    """Look into a folder again and again; gives what was open to others at any moment."""
    seen: dict[str, str] = {}
    over = Event()

    def watch() -> None:
        while not over.wait(0.01):
            seen.update(open_to_others(folder))

    watcher = Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


@pytest.mark.more
@pytest.mark.parametrize(
    "more",
    [
        (),
        pytest.param(
            (("reconcile",), ("verify", "--replay"), ("report", "--names")), marks=pytest.mark.long
        ),
    ],
)
def test_every_file_is_its_owners_alone_at_every_moment(
    theirs: District, more: tuple[tuple[str, ...], ...]
) -> None:
    """An ordinary user with umask 000; what an earlier version left open is closed, too."""
    user, home = as_ordinary_user(), theirs.home
    said = run(theirs, "init", user=user)
    assert "is open to others (mode 777); from now on only its owner can read it." in said
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert not open_to_others(home)

    theirs.take_parsed()
    (home / "target" / "run").mkdir(parents=True, exist_ok=True)
    for path in (home, home / "target", *(home / "target").rglob("*"), home / "landing.duckdb"):
        path.chmod(0o755)
        if os.getuid() == 0:
            os.chown(path, NOBODY, NOBODY)
    found = run(theirs, "doctor", user=user)
    assert f"BAD modes: open to others: {home} and " in found
    run(theirs, "land", "--inbox", str(theirs.inbox), user=user)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert not open_to_others(home)

    out = home.parent / "out"
    with watched(home) as seen, watched(out) as written:
        run(theirs, "cycle", "--inbox", str(theirs.inbox), user=user)
        run(theirs, "reprocess", ROSTER, user=user)
        for arguments in more:
            run(theirs, *arguments, user=user)
        run(theirs, "rejects", ROSTER, user=user)
        run(theirs, "rejects", ROSTER, "--out", str(out / "back.csv"), user=user)
        run(theirs, "export", "--parquet", str(out / "tables"), user=user)
    assert not seen
    assert not written
    assert "ok  modes: only the owner" in run(theirs, "doctor", user=user)
    assert not open_to_others(home.parent / ".cache" / "matplotlib")


def test_a_folder_of_others_is_no_data_directory(theirs: District) -> None:
    """It is neither used nor are its rights changed; the sentence says what to do."""
    user, home = as_ordinary_user(), theirs.home
    (home / "notes.txt").touch()
    arguments = [*user, str(ROLLCALL), "init", "--home", str(home)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    said = "(mode 777) and holds notes.txt; name a new folder, or close this one: chmod go= "
    assert f"{said}{home}" in done.stderr
    (home / "notes.txt").unlink()
    if user:
        os.chown(home, 0, 0)
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "(mode 777) and belongs to another account; name a new folder in it" in done.stderr
    assert stat.S_IMODE(home.stat().st_mode) == 0o777
    assert not list(home.iterdir())


def test_a_file_that_was_there_is_closed_before_rejects_are_written(
    sample_run: SampleRun, tmp_path: Path
) -> None:
    out = tmp_path / "back.csv"
    out.touch(mode=0o666)
    assert sample_run[0].run("rejects", ROSTER, "--out", str(out)).code == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert sample_run[0].run("rejects", ROSTER, "--out", "/dev/null").code == 0
    assert stat.S_IMODE(Path("/dev/null").stat().st_mode) == 0o666


@contextmanager
def held(database: Path, *, read_only: bool) -> Iterator[int]:
    """Have another program keep a database open; gives the number of its process."""
    hold = (
        "import sys, duckdb; duckdb.connect(sys.argv[1], read_only=bool(sys.argv[2])); "
        "connection = duckdb.connect(sys.argv[1], read_only=bool(sys.argv[2])); "
        "print('open', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", hold, str(database), "yes" if read_only else ""]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "open\n"
    try:
        yield holder.pid
    finally:
        holder.communicate()


WRITERS = (
    ("init",),
    ("land", "--inbox", "{inbox}"),
    ("cycle", "--inbox", "{inbox}"),
    ("release", "users.csv", "--reason", "r"),
    ("reprocess", ROSTER),
    ("verify", "--replay"),
)
READERS = (
    ("status",),
    ("reconcile",),
    ("report",),
    ("verify",),
    ("rejects", ROSTER),
    ("layouts", "diff", ROSTER),
    ("trace", "--table", "core.dim_org", "--key", "ORG-1"),
)
READERS_OF_THE_WAREHOUSE = (
    ("report",),
    ("verify",),
    ("verify", "--replay"),
    ("reconcile",),
    ("rejects", ROSTER),
    ("export", "--parquet", "{out}"),
    ("trace", "--table", "core.dim_org", "--key", "ORG-1"),
    ("reprocess", ROSTER),
    ("cycle", "--inbox", "{inbox}", "--rebuild"),
)


@pytest.mark.more
@pytest.mark.parametrize(
    ("database", "read_only", "commands"),
    [
        ("landing.duckdb", True, WRITERS),
        ("landing.duckdb", False, (*WRITERS, *READERS)),
        ("warehouse.duckdb", False, READERS_OF_THE_WAREHOUSE),
    ],
)
def test_who_keeps_a_database_open_is_said_at_once_and_the_wait_ends(
    sample_run: SampleRun,
    tmp_path: Path,
    database: str,
    read_only: bool,
    commands: tuple[tuple[str, ...], ...],
) -> None:
    """By every command that opens it, in one sentence and with the exit code of a busy home."""
    home = tmp_path / "home"
    shutil.copytree(sample_run[0].home, home)
    district = District(home, tmp_path / "inbox")
    files = {"orgs.csv": ORGS + ORG_ROWS, "manifest.csv": MANIFEST}
    district.deliver("2026-10-01T010000Z", files)
    (home / database).chmod(0o600)
    places = {"inbox": str(district.inbox), "out": str(tmp_path / "out")}
    with held(home / database, read_only=read_only) as holder:
        for arguments in commands:
            words = [word.format_map(places) for word in arguments]
            began = time.monotonic()
            done = district.run(*words, "--wait", "1", now="2026-10-01T18:00:00Z")
            assert done.code == 5, (words, done.out, done.err)
            waiting, gave_up = done.err.splitlines()
            assert f"Waiting up to 1 seconds: {database} is open in " in waiting, words
            assert f"(PID {holder}); close it there and try again" in gave_up, words
            assert time.monotonic() - began > 1
        assert not (home / "building.duckdb").exists()
    next_one = "land" if commands is WRITERS else "cycle"
    done = district.run(next_one, "--inbox", str(district.inbox), now="2026-10-02T18:00:00Z")
    assert done.code in (0, 3), done.out + done.err
    assert not done.err
    assert district.run("verify").code == 0


def test_a_lock_that_cannot_be_opened_is_said_in_one_sentence(district: District) -> None:
    assert district.run("init").code == 0
    (district.home / ".lock").unlink()
    (district.home / ".lock").mkdir()
    done = district.run("land", "--inbox", str(district.inbox))
    assert done.code == 2
    assert f"cannot be written (Is a directory: {district.home}/.lock)" in done.err


def test_a_killed_command_leaves_no_probe_of_the_data_directory(district: District) -> None:
    """Killed at the first moment at which a file is removed."""
    killed = [sys.executable, str(Path(__file__).with_name("killed.py"))]
    arguments = ("Path.unlink", "1", "before", "init", "--home", str(district.home))
    done = subprocess.run([*killed, *arguments], start_new_session=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert sorted(path.name for path in district.home.iterdir()) == ["archive", "logs", "spool"]


def test_a_database_of_another_account_is_said_to_be_that(theirs: District) -> None:
    """A command that root has run once leaves files that the next one may not open."""
    user, database = as_ordinary_user(), theirs.home / "landing.duckdb"
    run(theirs, "init", user=user)
    for mode in (0o400, 0):
        database.chmod(mode)
        for command in ("status", "land"):
            arguments = [*user, str(ROLLCALL), command, "--home", str(theirs.home)]
            arguments += ["--inbox", str(theirs.inbox)] * (command == "land")
            done = subprocess.run(arguments, capture_output=True, text=True, check=False)
            is_refused = command == "land" or (mode == 0 and not user)
            assert done.returncode == (2 if is_refused else 0), done.stderr
            assert (f"{database} cannot be opened" in done.stderr) == is_refused

"""Damaged, lost and mismatched files of a data directory: told truly, and mended by commands.

The sections of docs/operations.md are run in their order, in one folder, after the harm that each
is about.
"""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from conftest import MANIFEST, ORG_ROWS, ORGS, District, Done

from rollcall.home import archive_path
from rollcall.ledger import version
from rollcall.project import PROJECT_DIR

pytestmark = pytest.mark.more

PAGE = (PROJECT_DIR / "docs" / "operations.md").read_text(encoding="utf-8")
SECTIONS = {
    part.split("\n", 1)[0]: re.findall(r"^```sh\n(.*?)^```", part, re.M | re.S)
    for part in PAGE.split("\n## ")[1:]
}
NOW = "2026-09-03T18:00:00Z"
BULK = MANIFEST + "file.orgs,bulk\n"


@pytest.fixture(scope="module")
def place(one_night: District, tmp_path_factory: pytest.TempPathFactory) -> District:
    """A folder with a data directory, two cycles old, and its inbox."""
    folder = tmp_path_factory.mktemp("operations")
    shutil.copytree(one_night.home, folder / "warehouse")
    shutil.copytree(one_night.inbox, folder / "inbox")
    (folder / "aside").mkdir()
    district = District(folder / "warehouse", folder / "inbox")
    cycle(district, "2026-09-02T18:00:00Z")
    return district


def cycle(district: District, now: str = NOW) -> None:
    done = district.run("cycle", "--inbox", str(district.inbox), "--no-report", now=now)
    assert done.code in (0, 3), done.out + done.err


def shell(district: District, script: str, now: str = NOW) -> subprocess.CompletedProcess[str]:
    """Run what the page shows; a command that ends with 3 has done its work."""
    tools = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    rollcall = 'rollcall() { command rollcall "$@" || { [ $? -eq 3 ] && echo "ended with 3"; }; }\n'
    return subprocess.run(
        ["sh", "-e", "-c", rollcall + script],
        cwd=district.home.parent,
        env={"PATH": tools, "HOME": "/", "LANG": "C.UTF-8", "ROLLCALL_NOW": now},
        capture_output=True,
        text=True,
        check=False,
    )


def verified(district: District) -> str:
    """Verify a data directory; gives the fingerprint of its tables."""
    done = district.run("verify", "--json")
    assert (done.code, done.json["problems"]) == (0, []), done.out
    return str(done.json["fingerprint"])


def says(done: Done, sentence: str) -> bool:
    """Say whether a command printed something, wherever its lines end."""
    return "".join(sentence.split()) in "".join((done.out + done.err).split())


def overwrite(database: Path, start: float, length: int = 4096) -> None:
    """Write over a part of a file, from a share of its length on."""
    database.chmod(0o600)
    with database.open("r+b") as stream:
        stream.seek(int(database.stat().st_size * start))
        stream.write(b"\xa5" * length)


def truncate(database: Path, share: float = 0.5) -> None:
    database.chmod(0o600)
    os.truncate(database, int(database.stat().st_size * share))


HARM: dict[str, Callable[[Path], object]] = {
    "header": lambda path: overwrite(path, 0),
    "cut": truncate,
    "empty": lambda path: truncate(path, 0),
}


# ---------------------------------------------------------------- what is said


@pytest.fixture
def harmed(place: District, tmp_path: Path) -> District:
    """Give a copy of the data directory, to be harmed."""
    return place.copy(tmp_path)


@pytest.mark.parametrize("how", HARM)
def test_a_damaged_warehouse_is_named_and_does_not_stop_landing(harmed: District, how: str) -> None:
    HARM[how](harmed.home / "warehouse.duckdb")
    for arguments in (
        ("doctor",),
        ("verify",),
        ("report",),
        ("cycle", "--inbox", str(harmed.inbox)),
    ):
        done = harmed.run(*arguments, now=NOW)
        assert done.code == (3 if arguments[0] in ("doctor", "verify") else 2), arguments
        assert says(done, "warehouse.duckdb is damaged")
        assert says(done, "rollcall restore")
        assert not says(done, "last good"), "there is none"
        assert not says(done, "Internal error")
    harmed.deliver("2026-09-03T010000Z", {"orgs.csv": ORGS + ORG_ROWS, "manifest.csv": BULK})
    done = harmed.land(now=NOW)
    assert done.code == 3
    [file] = [file for file in done.json["files"] if file["feed"] == "oneroster/orgs"]
    assert (file["verdict"], file["code"], file["are_removals_held"]) == (
        *("accepted", "REMOVALS_UNCHECKED"),
        True,
    )


@pytest.mark.parametrize("how", HARM)
def test_a_damaged_ledger_is_named(harmed: District, how: str) -> None:
    HARM[how](harmed.home / "landing.duckdb")
    for command in ("doctor", "verify", "status", "land"):
        inbox = ("--inbox", str(harmed.inbox)) if command == "land" else ()
        done = harmed.run(command, *inbox, now=NOW)
        assert done.code == (3 if command in ("doctor", "verify") else 2), command
        assert says(done, "landing.duckdb is damaged")
        assert says(done, "docs/operations.md")
        assert not says(done, "Internal error")


@pytest.mark.parametrize("name", ["landing.duckdb", "warehouse.duckdb"])
def test_a_random_page_is_found(harmed: District, name: str) -> None:
    """Every twentieth of the file in turn; some of it holds nothing."""
    database = harmed.home / name
    intact = database.read_bytes()
    found = 0
    for twentieth in range(1, 20):
        overwrite(database, twentieth / 20)
        done = harmed.run("doctor", now=NOW)
        assert not says(done, "Internal error")
        found += says(done, f"{name} is damaged")
        database.write_bytes(intact)
    assert found >= 4


def test_a_lost_ledger_is_never_begun_anew(harmed: District) -> None:
    (harmed.home / "landing.duckdb").unlink()
    commands = ("init", "land", "cycle", "status", "verify", "backup", "restore", "reconcile")
    inbox = ("--inbox", str(harmed.inbox))
    more = {"backup": (str(harmed.home.parent / "b"),), "land": inbox, "cycle": inbox}
    for command in commands:
        done = harmed.run(command, *more.get(command, ()), now=NOW)
        assert done.code == 2, command
        assert "landing.duckdb is missing" in done.err, command
    assert harmed.run("doctor", now=NOW).code == 3
    assert not (harmed.home / "landing.duckdb").exists()
    assert not (harmed.home.parent / "b").exists(), "nothing of it is copied"
    (harmed.home / "warehouse.duckdb").unlink()
    assert harmed.run("land", *inbox, now=NOW).code == 2, "the archive alone tells it"


def test_a_lost_warehouse_is_never_begun_anew(harmed: District) -> None:
    (harmed.home / "warehouse.duckdb").unlink()
    done = harmed.run("cycle", "--inbox", str(harmed.inbox), now=NOW)
    assert done.code == 2
    assert "warehouse.duckdb is missing, although cycle 2 was published" in done.err
    assert "rollcall restore" in done.err


def test_a_cycle_starts_only_on_the_warehouse_of_its_own_ledger(
    harmed: District, tmp_path: Path
) -> None:
    other = District(tmp_path / "other", harmed.inbox)
    other.land(now=NOW)
    (harmed.home / "landing.duckdb").unlink()
    shutil.copyfile(other.home / "landing.duckdb", harmed.home / "landing.duckdb")
    done = harmed.run("cycle", "--inbox", str(harmed.inbox), now=NOW)
    assert done.code == 2
    assert "from another ledger" in done.err
    assert says(harmed.run("doctor", now=NOW), "another ledger")


def test_an_older_ledger_beside_a_newer_warehouse_is_told(harmed: District) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"attach '{harmed.home / 'landing.duckdb'}' as store")
        connection.execute(
            "delete from store.landing.events where event_number >= (select min(event_number) "
            "from store.landing.events where kind = 'cycle_opened' and subject = '2');"
            "delete from store.landing.cycles where cycle_id = 2"
        )
    done = harmed.run("cycle", "--inbox", str(harmed.inbox), now=NOW)
    assert done.code == 2
    assert "newer state" in done.err


def test_a_newer_ledger_is_refused_and_an_older_one_brought_up_to_date(
    harmed: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(version, "VERSION", version.VERSION + 1)
    for command in ("status", "report"):
        assert "rollcall init" in harmed.run(command, now=NOW).err
    assert harmed.run("verify").code == 0, "which reads every version"
    monkeypatch.undo()
    with duckdb.connect() as connection:
        connection.execute(f"attach '{harmed.home / 'landing.duckdb'}' as store")
        connection.execute("update store.landing.ledger_version set version = version + 1")
    for command in ("status", "land", "cycle", "init", "verify"):
        inbox = ("--inbox", str(harmed.inbox)) if command in ("land", "cycle") else ()
        done = harmed.run(command, *inbox, now=NOW)
        assert done.code == 2, command
        assert "newer Rollcall" in done.err


def test_a_ledger_from_before_there_were_versions_is_left_alone(harmed: District) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"attach '{harmed.home / 'landing.duckdb'}' as store")
        connection.execute("drop table store.landing.ledger_version")
    before = (harmed.home / "landing.duckdb").read_bytes()
    for command in ("status", "init", "land", "cycle"):
        inbox = ("--inbox", str(harmed.inbox)) if command in ("land", "cycle") else ()
        done = harmed.run(command, *inbox, now=NOW)
        assert (done.code, says(done, "before 0.3.0")) == (2, True), command
    assert harmed.run("doctor", now=NOW).code == 3
    assert (harmed.home / "landing.duckdb").read_bytes() == before


# ---------------------------------------------------------------- backup and restore


def killed(district: District, kill: tuple[str, int, str], *arguments: str) -> None:
    """Run a command and kill it at a step, which must be reached."""
    step, number, moment = kill
    script = Path(__file__).parent / "killed.py"
    done = subprocess.run(
        [sys.executable, script, step, str(number), moment, *arguments],
        env=os.environ | {"ROLLCALL_HOME": str(district.home), "ROLLCALL_NOW": NOW},
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    assert done.returncode == -signal.SIGKILL, (kill, done.stderr[-2000:])


def test_a_backup_that_is_killed_leaves_a_good_one(harmed: District, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    backup = District(folder, harmed.inbox)
    kills = [("archive.keep", 5, "before"), ("shutil.copyfile", 8, "after")]
    kills += [
        ("Path.replace", number, moment) for number in (1, 2) for moment in ("before", "after")
    ]
    for kill in kills:
        killed(harmed, kill, "backup", str(folder))
        if (folder / "landing.duckdb").exists():
            problems = backup.run("verify", "--json").json["problems"]
            assert all("warehouse.duckdb is missing" in problem for problem in problems), kill
    done = harmed.run("backup", str(folder), "--json")
    assert (done.code, done.json["copied_count"]) == (0, 0)
    assert verified(backup) == verified(harmed)
    assert {path.name for path in folder.iterdir()} == {
        *("archive", "landing.duckdb", "project", "warehouse.duckdb")
    }


def test_readers_read_on_while_a_backup_is_made(harmed: District, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    held = [
        f"attach '{harmed.home / name}' as {name[:4]} (read_only)"
        for name in ("landing.duckdb", "warehouse.duckdb")
    ]
    script = (
        f"import duckdb; c = duckdb.connect(); [c.execute(sql) for sql in {held!r}]; "
        "print(1, flush=True); input()"
    )
    reader = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == b"1\n"
    assert harmed.run("backup", str(folder)).code == 0
    reader.communicate(b"\n")
    assert verified(District(folder, harmed.inbox)) == verified(harmed)


def test_a_backup_names_what_is_damaged_and_never_replaces_a_good_one(
    harmed: District, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    assert harmed.run("backup", str(folder)).code == 0
    path = sorted((harmed.home / "archive").glob("??/*"))[0]
    overwrite(path, 0.5, 3)
    truncate(harmed.home / "warehouse.duckdb")
    assert harmed.run("backup", str(folder), "--json").json["problems"] != []
    good = (folder / "landing.duckdb").read_bytes()
    kept = archive_path(folder / "archive", path.name).read_bytes()
    assert hashlib.sha256(kept).hexdigest() == path.name, "the backup's own is left"
    with duckdb.connect() as connection:
        connection.execute(f"attach '{harmed.home / 'landing.duckdb'}' as store")
        connection.execute("update store.landing.files set record_count = 99")
    done = harmed.run("backup", str(folder), "--json")
    assert (done.code, done.json["is_taken"]) == (3, False)
    assert (folder / "landing.duckdb").read_bytes() == good
    other = District(tmp_path / "other", harmed.inbox)
    other.land(now="2026-09-05T18:00:00Z")
    done = other.run("backup", str(folder))
    assert done.code == 2
    assert "something else" in done.err


@pytest.mark.long
@pytest.mark.parametrize(
    "kill", [("warehouse.publish", 2, "before"), ("Path.replace", 3, "before")]
)
def test_a_restore_that_is_killed_leaves_the_warehouse(
    harmed: District, kill: tuple[str, int, str]
) -> None:
    before = verified(harmed)
    killed(harmed, kill, "restore")
    assert verified(harmed) == before
    truncate(harmed.home / "warehouse.duckdb")
    assert harmed.run("restore", now=NOW).code == 0
    assert verified(harmed) == before
    assert not (harmed.home / "replaying").exists()


# ---------------------------------------------------------------- the page


def test_the_page_is_linked() -> None:
    assert "docs/operations.md" in (PROJECT_DIR / "README.md").read_text(encoding="utf-8")
    assert len(SECTIONS) == len(SCENES)


def lose_project(district: District) -> None:
    assert (district.home.parent / "backup" / "project" / "dbt_project.yml").is_file()


def damage_archive(district: District) -> None:
    [(sha256,)] = district.ledger(
        "select sha256 from landing.files where delivery_name = '2026-09-01T010000Z' "
        "and file_name = 'orgs.csv'"
    )
    overwrite(archive_path(district.home / "archive", sha256), 0.5, 3)
    assert district.run("verify").code == 3


def lose_archive(district: District) -> None:
    next(iter(sorted((district.home / "archive").glob("??/*")))).unlink()
    assert district.run("verify").code == 3


def leave_behind(district: District) -> None:
    (district.home / "building.duckdb").write_bytes(b"half a cycle")


SCENES: dict[str, tuple[Callable[[District], object], ...]] = {
    "Back up": (lambda _: None,),
    "Restore into a new data directory": (lambda _: None,),
    "Move": (lambda _: None,),
    "Upgrade": (lambda _: None,),
    "warehouse.duckdb is damaged or lost": (
        lambda district: truncate(district.home / "warehouse.duckdb"),
        lambda _: None,
    ),
    "landing.duckdb is damaged or lost": (
        lambda district: overwrite(district.home / "landing.duckdb", 0),
    ),
    "A file in the archive is damaged or lost": (damage_archive, lose_archive),
    "building.duckdb is left behind": (leave_behind,),
    "The report is damaged or lost": (
        lambda district: shutil.rmtree(district.home / "report", ignore_errors=True),
    ),
    "The project folder is damaged or lost": (lose_project,),
}


LONGEST = "warehouse.duckdb is damaged or lost"
"""Of this the page replays every cycle, twice."""


@pytest.mark.parametrize(
    "title",
    [pytest.param(title, marks=[pytest.mark.long] * (title == LONGEST)) for title in SECTIONS],
)
def test_what_the_page_shows_mends_it(place: District, title: str) -> None:
    before = verified(place)
    for script, harm in zip(SECTIONS[title], SCENES[title], strict=True):
        harm(place)
        done = shell(place, script)
        assert done.returncode == 0, script + done.stdout + done.stderr
        after = verified(place)
        assert after == before or "rollcall cycle" in script
    if title == "Restore into a new data directory":
        restored = District(place.home.parent / "restored", place.inbox)
        assert verified(restored) == before
        cycle(restored)

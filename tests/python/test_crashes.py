"""Crash-safe, and readers never wait: killed at any step and run again, as if nothing had been."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from conftest import LONG_AGO, ROLLCALL, District, state
from mastery_district import Story, night
from polling_reader import STATE
from test_alarms import screen

HERE = Path(__file__).parent
Kill = tuple[str, int, str]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tell a night that is over, and one that waits in an inbox; run both without disturbance.

    `first` is the home after the first night, `second` after both; `said.json` is what the second
    had to say: it has a zip that is none.
    """
    folder = tmp_path_factory.mktemp("crashes")
    for number in (1, 2):
        for source in ("sis", "lms"):
            (folder / f"inbox_{number}" / source).mkdir(parents=True)
    home = District(folder / "first", folder / "inbox_1")
    story = Story(home)
    story.roster(1, students=("ann", "bob"))
    story.work(1, ("r1", "ann", 90, "01"), ("r2", "bob", 40, "01"))
    story.cycle(1)
    story = Story(replace(home, inbox=folder / "inbox_2"))
    story.roster(2)
    story.work(2, ("r1", "ann", 20, "01"), ("r3", "bob", 80, "02"))
    story.override(2, "o1,ann,algebra,set,mastered,2026-09-01T10:00:00Z,tea,Shown on paper")
    no_zip = folder / "inbox_2" / "lms" / "2026-09-02T170000Z.zip"
    no_zip.write_bytes(b"no zip at all")
    os.utime(no_zip, LONG_AGO)
    shutil.copytree(folder / "first", folder / "second")
    district = District(folder / "second", folder / "inbox_2")
    code, text = screen(district, second_night(district))
    assert (code, "REJECTEDlms/2026-09-02T170000Z" in text) == (3, True), text
    (folder / "said.json").write_text(json.dumps([code, text]), encoding="utf-8")
    return folder


def second_night(district: District, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the second night to its end, by `rollcall` or another command."""
    environment = os.environ | {"ROLLCALL_HOME": str(district.home), "ROLLCALL_NOW": night(2)}
    return subprocess.run(
        [*(command or (ROLLCALL,)), "cycle", "--inbox", str(district.inbox)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )


def kill_second_night(district: District, kill: Kill) -> None:
    """Kill the second night at a step, which must be reached."""
    step, number, moment = kill
    done = second_night(district, sys.executable, HERE / "killed.py", step, str(number), moment)
    assert done.returncode == -signal.SIGKILL, (kill, done.stderr[-2000:])
    wait_for_the_lock(district)


def wait_for_the_lock(district: District) -> None:
    """Wait until the last process that was killed is gone."""
    subprocess.run(["flock", district.home / ".lock", "true"], check=True, timeout=60)


def states(told: Path) -> list[tuple[Any, ...]]:
    """What a reader may see: the first night or both."""
    found = []
    for home in ("first", "second"):
        with duckdb.connect(str(told / home / "warehouse.duckdb"), read_only=True) as connection:
            found.append(connection.execute(STATE).fetchone() or ())
    return found


@contextmanager
def watched(told: Path, folder: Path) -> Iterator[District]:
    """Give a home after the first night; a reader polls it and must only see complete cycles."""
    shutil.copytree(told / "first", folder / "home")
    district = District(folder / "home", told / "inbox_2")
    reader_script, warehouse = HERE / "polling_reader.py", district.home / "warehouse.duckdb"
    with subprocess.Popen(
        [sys.executable, reader_script, warehouse],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as reader:
        yield district
        out, _ = reader.communicate()
    assert reader.returncode == 0, "a reader was rejected or saw half a warehouse"
    report = json.loads(out)
    assert report["read_count"] > 10
    first, second = states(told)
    seen = [tuple(row) for row in report["seen"]]
    assert first in seen
    assert set(seen) <= {first, second}


def end_undisturbed(told: Path, district: District) -> None:
    """Run the night once more, to its end; result and alarms are those of an undisturbed run."""
    said = json.loads((told / "said.json").read_text(encoding="utf-8"))
    assert [*screen(district, second_night(district))] == said
    assert state(district.home) == state(told / "second")
    assert district.run("verify", "--json").json["problems"] == []
    assert not list((district.home / "spool").iterdir())
    left = {"building.duckdb", "building.duckdb.wal", "landing.duckdb.wal"}
    assert not left & {path.name for path in district.home.iterdir()}


LANDING = [
    ("archive.keep", 1, "before"),
    ("archive.keep", 2, "after"),
    ("raw.store", 3, "after"),
    ("ledger.note", 1, "after"),
    ("ledger.put", 9, "before"),
    ("ledger.note", 14, "after"),
]
BUILDING = [
    ("warehouse.start_from_last_good", 1, "after"),
    ("dbt_run.node_done", 60, "after"),
    ("Path.replace", 1, "before"),
    ("Path.replace", 1, "after"),
]


def test_killed_again_and_again_and_run_to_the_end(told: Path, tmp_path: Path) -> None:
    """One home is killed six times while it lands, and four times while it builds and publishes."""
    with watched(told, tmp_path) as district:
        for kill in [*LANDING, *BUILDING]:
            kill_second_night(district, kill)
        end_undisturbed(told, district)


@pytest.fixture(scope="module")
def calls(told: Path) -> dict[str, int]:
    """Count the calls of every step in an undisturbed second night."""
    shutil.copytree(told / "first", told / "counted")
    district = District(told / "counted", told / "inbox_2")
    done = second_night(district, sys.executable, HERE / "killed.py", "any", "0", "before")
    counted: dict[str, int] = json.loads(done.stderr.splitlines()[-1])
    return counted


@pytest.mark.long
def test_killed_at_every_step_of_landing(told: Path, tmp_path: Path, calls: dict[str, int]) -> None:
    """Each run is killed two steps later than the one before."""
    landing = sum(calls[step] for step in calls if step.split(".")[0] in ("ledger", "raw"))
    with watched(told, tmp_path) as district:
        for number in range(1, landing, 2):
            kill_second_night(district, ("any", number, ("before", "after")[number % 4 == 1]))
        end_undisturbed(told, district)


@pytest.mark.long
@pytest.mark.parametrize(
    ("step", "share"),
    [
        *(("dbt_run.node_done", share / 10) for share in range(11)),
        *(("ledger.note", share / 4) for share in range(5)),
        *((step, 1) for step in ("builder.build_first", "builder.build_rest")),
        *((step, 1) for step in ("warehouse.publish", "os.fsync", "Path.chmod")),
        *((step, 1) for step in ("shutil.copyfile", "Path.unlink", "ledger.put")),
    ],
)
def test_killed_once_at_a_step(
    told: Path, tmp_path: Path, calls: dict[str, int], step: str, share: float
) -> None:
    number = 1 + round(share * (calls[step] - 1))
    with watched(told, tmp_path) as district:
        kill_second_night(district, (step, number, "after"))
        end_undisturbed(told, district)


@pytest.mark.long
def test_stopped_again_and_again_and_run_to_the_end(told: Path, tmp_path: Path) -> None:
    """By Ctrl-C; a cycle that is stopped has not failed."""
    with watched(told, tmp_path) as district:
        for step, number in (("raw.store", 2), ("dbt_run.node_done", 60), ("warehouse.publish", 1)):
            script = (sys.executable, HERE / "killed.py", step, str(number), "stop")
            done = second_night(district, *script)
            assert (done.returncode, "rollcall: Stopped; " in done.stderr) == (1, True), step
        assert district.ledger("select 1 from landing.cycles where status = 'failed'") == []
        assert district.ledger("select 1 from landing.files where code = 'LANDING_FAILED'") == []
        end_undisturbed(told, district)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(6))
def test_killed_at_any_time(told: Path, tmp_path: Path, seed: int) -> None:
    with watched(told, tmp_path) as district:
        chance = Random(seed)  # noqa: S311  (when to kill, not a secret)
        for _ in range(2):
            environment = {"ROLLCALL_HOME": str(district.home), "ROLLCALL_NOW": night(2)}
            process = subprocess.Popen(
                [ROLLCALL, "cycle", "--inbox", str(district.inbox)],
                env=os.environ | environment,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
            time.sleep(chance.uniform(0.2, 12))
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            wait_for_the_lock(district)
        end_undisturbed(told, district)


@pytest.mark.long
@pytest.mark.parametrize("full_at", ["the copy", "what dbt builds"])
def test_a_disk_that_is_full_while_dbt_builds_stops_the_night_and_nothing_else(
    told: Path, tmp_path: Path, full_at: str
) -> None:
    """No file may grow beyond the limit: first the copy of the last good warehouse, then dbt's."""
    sizes = [(told / name / "warehouse.duckdb").stat().st_size for name in ("first", "second")]
    assert sizes[0] + (1 << 20) < sizes[1]
    most = sizes[0] - (1 << 18) if full_at == "the copy" else sum(sizes) // 2
    with watched(told, tmp_path) as district:
        limited = f'ulimit -f {most >> 10}; exec {ROLLCALL} "$@"'
        done = second_night(district, "bash", "-c", limited, "rollcall")
        assert done.returncode in (1, 4), done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        assert not (district.home / "building.duckdb").exists()
        end_undisturbed(told, district)

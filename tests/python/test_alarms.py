"""Alarms survive kills: a run tells of the newest cycle, whichever run landed and built it.

That holds of the home that `test_crashes.py` kills again and again, too.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import MANIFEST, ORGS, ROLLCALL, District

HERE = Path(__file__).parent
NOW = "2026-09-02T18:00:00Z"
BULK = MANIFEST + "file.orgs,bulk\n"
Told = tuple[District, tuple[int, str]]
NOT_NEEDED = "No cycle was needed: there is nothing that the warehouse has not seen.\n"


def orgs(count: int) -> str:
    return ORGS + "".join(f"s{n},,,School {n},school,{n},\n" for n in range(count))


def run(
    district: District, *program: str | Path, command: str = "cycle"
) -> subprocess.CompletedProcess[str]:
    """Run the second night, by `rollcall` or another program."""
    return subprocess.run(
        [*(program or (ROLLCALL,)), command, "--inbox", str(district.inbox)],
        env=os.environ | {"ROLLCALL_HOME": str(district.home), "ROLLCALL_NOW": NOW},
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )


def screen(district: District, done: subprocess.CompletedProcess[str]) -> tuple[int, str]:
    """Return code and screen of a run, but for blanks, the home and what it need not do."""
    text = "".join(done.stdout.replace(NOT_NEEDED, "").split())
    return done.returncode, text.replace(str(district.home), "HOME")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Give a home before a night of alarms, the inbox of that night, and what it says."""
    folder = tmp_path_factory.mktemp("alarms")
    district = District(folder / "home", folder / "inbox")
    district.deliver("2026-09-01T010000Z", {"orgs.csv": orgs(60), "manifest.csv": BULK})
    first = district.run("cycle", "--inbox", str(district.inbox), "--no-report")
    assert first.code == 0, first.out + first.err
    bad = {"orgs.csv": orgs(20) + "x,,,No kind,,1,\n", "classes.csv": "a,b\n1,2\n"}
    district.deliver("2026-09-02T010000Z", bad | {"manifest.csv": BULK + "file.classes,bulk\n"})
    (district.inbox / "lms").mkdir()
    (district.inbox / "lms" / "2026-09-02T010000Z.zip").write_bytes(b"no zip at all")
    os.utime(district.inbox / "lms" / "2026-09-02T010000Z.zip", (1e9, 1e9))
    undisturbed = district.copy(folder / "undisturbed")
    code, text = screen(undisturbed, run(undisturbed))
    assert code == 3
    for said in ("REMOVALSHELDsis/2026", "MASS_DELETION", "REJECTEDlms/2026", "classes.csv"):
        assert said in text
    again = screen(undisturbed, run(undisturbed))
    assert again == (code, text), "killed after the very last step, or run again by hand"
    return district, (code, text)


def check(told: Told, folder: Path, *kills: tuple[str, int, str]) -> None:
    """Kill the night again and again in one home, and run it to its end."""
    district = told[0].copy(folder)
    for step, number, moment in kills:
        done = run(district, sys.executable, HERE / "killed.py", step, str(number), moment)
        assert done.returncode == -signal.SIGKILL, (step, done.stderr[-2000:])
        subprocess.run(["flock", district.home / ".lock", "true"], check=True, timeout=60)
    assert screen(district, run(district)) == told[1]
    assert district.run("verify").code == 0


@pytest.mark.long
def test_a_night_that_was_killed_again_and_again_says_what_it_had_to_say(
    told: Told, tmp_path: Path
) -> None:
    """While it lands, while dbt builds, and after its warehouse has taken its place."""
    landing = ("raw.store", 1, "after"), ("ledger.note", 3, "after")
    building = ("dbt_run.node_done", 60, "after"), ("warehouse.publish", 1, "after")
    check(told, tmp_path, *landing, *building)


@pytest.mark.long
def test_what_was_landed_before_is_said_by_the_cycle(told: Told, tmp_path: Path) -> None:
    """A landing that was killed is told of by the next; a quiet night follows a decision."""
    district, other = told[0].copy(tmp_path / "killed"), told[0].copy(tmp_path / "other")
    killed = run(
        *(district, sys.executable, HERE / "killed.py", "ledger.note", "8", "after"), command="land"
    )
    assert killed.returncode == -signal.SIGKILL
    again, at_once = district.land(now=NOW), other.land(now=NOW)
    told_of = ("files", "findings", "deliveries_landed", "deliveries_rejected")
    assert [again.json[what] for what in told_of] == [at_once.json[what] for what in told_of]
    assert (again.code, at_once.code) == (3, 3)
    assert district.land(now=NOW).code == 0, "the same again is no news"
    assert screen(district, run(district)) == told[1]
    [(file_id,)] = district.ledger("select file_id from landing.files where are_removals_held")
    assert district.run("release", file_id, "--reason", "they have closed").code == 0
    last = district.run("cycle", "--inbox", str(district.inbox), "--no-report", now=NOW)
    assert last.code == 0, last.out


@pytest.mark.long
@pytest.mark.parametrize("share", range(12))
@pytest.mark.parametrize("step", ["ledger.note", "dbt_run.node_done", "any"])
def test_a_night_killed_once_says_what_it_had_to_say(
    told: Told, tmp_path: Path, step: str, share: int
) -> None:
    counted = told[0].copy(tmp_path / "counted")
    done = run(counted, sys.executable, HERE / "killed.py", "any", "0", "before")
    calls = json.loads(done.stderr.splitlines()[-1])
    number = 1 + round(share / 11 * ((sum(calls.values()) if step == "any" else calls[step]) - 1))
    check(told, tmp_path / "killed", (step, number, "after"))

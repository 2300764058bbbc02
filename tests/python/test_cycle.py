"""Cycles: numbered, resumed after a crash, published only when the tests pass.

What follows a first night goes on in copies of one home.
"""

import hashlib
import os
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from conftest import MANIFEST, ORG_ROWS, ORGS, ROLLCALL, District, Done, deliver_two_nights, state
from test_report import text_of

FIRST = "2026-09-01T010000Z"
SECOND = "2026-09-02T010000Z"


def cycle(district: District, night: int = 1, *options: str) -> tuple[int, str]:
    arguments = ("cycle", "--inbox", str(district.inbox), *options)
    done = district.run(*arguments, now=f"2026-09-0{night}T18:00:00Z")
    return done.code, done.out + done.err


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.more
def test_a_cycle_may_leave_the_report_for_later(one_night: District) -> None:
    assert (one_night.home / "warehouse.duckdb").exists()
    assert not (one_night.home / "report").exists()


@dataclass(frozen=True)
class TwoNights:
    """A home after the second night, and what a reader then read who had opened the first."""

    district: District
    read_meanwhile: list[tuple[str]]


@pytest.fixture(scope="module")
def two_nights(one_night: District, tmp_path_factory: pytest.TempPathFactory) -> TwoNights:
    """Run the cycle of the second night while somebody has the warehouse of the first open."""
    district = one_night.copy(tmp_path_factory.mktemp("two_nights"))
    names = "select name from warehouse.core.dim_org where org_id = 'd1'"
    with duckdb.connect() as reader:
        reader.execute(
            "attach ? as warehouse (read_only)", [str(district.home / "warehouse.duckdb")]
        )
        code, out = cycle(district, night=2)
        assert code == 0, out
        return TwoNights(district, reader.execute(names).fetchall())


def test_a_cycle_sees_what_its_cutoff_allows_and_absence_removes(
    one_night: District, two_nights: TwoNights
) -> None:
    orgs = "select org_id, name, is_active from core.dim_org order by 1"
    assert one_night.warehouse(orgs) == [
        ("d1", "Plainfield Schools", True),
        ("s1", "North School", True),
    ]
    assert two_nights.read_meanwhile == [("Plainfield Schools",)], "its own state"
    district = two_nights.district
    assert district.warehouse(orgs) == [
        ("d1", "Plainfield Unified", True),
        ("s1", "North School", False),
    ]
    assert district.warehouse(
        "select first_cycle_id, record_count, accepted_count, is_balanced "
        "from reconciliation.recon_file_balance where feed = 'oneroster/orgs' order by 1"
    ) == [(1, 2, 2, True), (2, 1, 1, True)]
    code, out = cycle(district, night=2)
    assert code == 0
    assert "No cycle was needed" in out
    assert district.ledger("select cycle_id, status from landing.cycles order by 1") == [
        (1, "completed"),
        (2, "completed"),
    ]


def assert_dbt_builds_what_is_published(
    district: District, dbt: Callable[..., str], target: Path, runs: tuple[tuple[str, ...], ...]
) -> None:
    for arguments in runs:
        dbt(
            *("build", "--exclude-resource-type", "unit_test", *arguments),
            home=district.home,
            target_path=target,
        )
        built = state(district.home, "dev.duckdb")
        assert built == state(district.home)
        assert len(built) > 20


def test_a_bare_dbt_build_equals_the_published_warehouse(
    two_nights: TwoNights, dbt: Callable[..., str], tmp_path: Path
) -> None:
    district = two_nights.district.copy(tmp_path)
    assert_dbt_builds_what_is_published(district, dbt, tmp_path / "target", ((),))


@pytest.mark.long
def test_a_bare_dbt_build_run_again_equals_the_published_warehouse(
    two_nights: TwoNights, dbt: Callable[..., str], tmp_path: Path
) -> None:
    district = two_nights.district.copy(tmp_path)
    assert_dbt_builds_what_is_published(
        district, dbt, tmp_path / "target", ((), (), ("--full-refresh",), ())
    )


@pytest.mark.long
def test_a_model_is_built_with_what_it_reads_in_a_new_database(
    one_night: District, dbt: Callable[..., str], tmp_path: Path
) -> None:
    """A test that reads more than that is left out, by the flag of dbt_project.yml."""
    for number, selected in enumerate(("+dim_user", "+stg_oneroster__results", "+fct_mastery")):
        home = one_night.copy(tmp_path / str(number)).home
        dbt("build", "--select", selected, home=home, target_path=tmp_path / "target")


def test_the_cutoff_never_goes_back(two_nights: TwoNights, tmp_path: Path) -> None:
    district = two_nights.district.copy(tmp_path)
    arguments = ("cycle", "--inbox", str(district.inbox), "--cutoff", "2026-09-01T18:00:00Z")
    done = district.run(*arguments)
    assert done.code == 2
    assert "cycles only go forward" in done.err


def change_the_ledger(district: District, sql: str) -> None:
    with duckdb.connect(str(district.home / "landing.duckdb")) as connection:
        connection.execute(sql)


@dataclass(frozen=True)
class ThirdNight:
    """A home after a night with new code and without a delivery, and what its cycles said."""

    district: District
    first: Done
    again: Done


@pytest.fixture(scope="module")
def third_night(two_nights: TwoNights, tmp_path_factory: pytest.TempPathFactory) -> ThirdNight:
    """Run a cycle for an export that is missed, by other code than the cycle before, and again."""
    district = two_nights.district.copy(tmp_path_factory.mktemp("third_night"))
    change_the_ledger(district, "update landing.landing.cycles set code_version = 'older'")
    arguments = ("cycle", "--inbox", str(district.inbox), "--json")
    return ThirdNight(
        district,
        district.run(*arguments, now="2026-09-03T18:00:00Z"),
        district.run(*arguments, now="2026-09-03T19:00:00Z"),
    )


@pytest.mark.more
def test_what_is_newly_missed_opens_a_cycle_by_itself_but_once(third_night: ThirdNight) -> None:
    first, again = third_night.first, third_night.again
    assert first.code == 3, first.out
    assert [export["feed"] for export in first.json["missing"]] == ["oneroster/orgs"]
    assert len(first.json["completed"]) == 1
    assert (again.code, again.json["completed"]) == (3, [])


@pytest.mark.more
def test_new_code_rebuilds_every_table_in_a_file_that_is_no_larger(
    two_nights: TwoNights, third_night: ThirdNight
) -> None:
    orgs = "select org_id, name, is_active, version_at from core.dim_org order by 1"
    assert third_night.district.warehouse(orgs) == two_nights.district.warehouse(orgs)
    before, after = (
        (night.district.home / "warehouse.duckdb").stat().st_size
        for night in (two_nights, third_night)
    )
    assert after <= before


def falsify(district: District, by: int) -> None:
    """Let the ledger say that files of organisations hold more records than they do."""
    change_the_ledger(
        district,
        f"update landing.landing.files set record_count = record_count + {by} "
        "where feed = 'oneroster/orgs'",
    )


@dataclass(frozen=True)
class Failing:
    """A cycle that failed: the home right after, and the home when it was repeated to its end."""

    first: Done
    failed: District
    ended: District


@pytest.fixture(scope="module")
def failing(one_night: District, tmp_path_factory: pytest.TempPathFactory) -> Failing:
    """Let a cycle fail twice for a wrong count, once for a lost column, then succeed."""
    district = one_night.copy(tmp_path_factory.mktemp("failing"))
    bad = "s2,,,South School,schol,102,d1\n"
    files = {"orgs.csv": ORGS + ORG_ROWS + bad, "manifest.csv": MANIFEST + "file.orgs,bulk\n"}
    district.deliver("2026-09-03T010000Z", files)
    arguments = ("cycle", "--inbox", str(district.inbox), "--json")
    district.run("land", "--inbox", str(district.inbox), now="2026-09-03T18:00:00Z")
    falsify(district, 1)
    first = district.run(*arguments[:-1], now="2026-09-03T18:00:00Z")
    failed = district.copy(tmp_path_factory.mktemp("failed"))
    assert district.run(*arguments, now="2026-09-03T19:00:00Z").code == 4
    falsify(district, -1)
    table = "landing.raw_oneroster.orgs"
    change_the_ledger(district, f"alter table {table} rename record_number to lost")
    assert district.run(*arguments, now="2026-09-03T19:30:00Z").code == 4
    change_the_ledger(district, f"alter table {table} rename lost to record_number")
    done = district.run(*arguments, now="2026-09-03T20:00:00Z")
    assert done.code == 0, done.out + done.err
    return Failing(first, failed, district)


def test_a_failed_test_publishes_nothing_and_the_same_cycle_is_repeated(
    one_night: District, failing: Failing
) -> None:
    assert failing.first.code == 4
    said = re.sub(r"\s+", " ", failing.first.out)
    named = r"source_id sis \(sis/2026-09-0\dT010000Z/orgs\.csv\)"
    assert re.search(rf"test every_file_balances: 3 rows: {named}; {named}; {named}\. ", said)
    before = sha256(one_night.home / "warehouse.duckdb")
    assert sha256(failing.failed.home / "warehouse.duckdb") == before
    assert not (failing.failed.home / "building.duckdb").exists()
    assert failing.ended.ledger(
        "select cycle_id, cutoff_at::varchar, status from landing.cycles order by 1"
    ) == [
        (1, "2026-09-01 18:00:00", "completed"),
        (2, "2026-09-03 18:00:00", "completed"),
    ]


def test_a_failing_cycle_and_its_repeat_keep_their_findings_once_each(failing: Failing) -> None:
    found = failing.ended.ledger(
        "select cycle_id, code, count(*) from landing.findings where code in "
        "('BUILD_FAILED', 'TEST_FAILED', 'VALUE_NOT_ALLOWED') group by all order by all"
    )
    assert [row[:2] for row in found] == [
        (2, "BUILD_FAILED"),
        (2, "TEST_FAILED"),
        (2, "VALUE_NOT_ALLOWED"),
    ]
    assert found[1][2] == found[2][2] == 1
    assert failing.ended.warehouse(
        "select run_status, failed_attempt_count from audit.audit_cycle_log order by cycle_id"
    ) == [("completed", 0), ("repaired", 3)]
    assert failing.ended.run("verify", "--json").json["problems"] == []


def test_a_failed_cycle_is_the_first_thing_that_the_report_says(failing: Failing) -> None:
    assert "No. Cycle 2 did not complete" in re.sub(r"\s+", " ", failing.first.out)
    text = text_of(failing.failed.home / "report" / "index.html")
    assert "People still see what cycle 1 left." in text
    assert "A check failed. every file balances: 3 rows: source_id sis (sis/" in text


@pytest.fixture(scope="module")
def left_behind(failing: Failing, tmp_path_factory: pytest.TempPathFactory) -> District:
    """Skip a cycle that failed, when a better export has come."""
    district = failing.failed.copy(tmp_path_factory.mktemp("left_behind"))
    falsify(district, -1)
    better = ORGS + ORG_ROWS + "s2,,,South School,school,102,d1\n"
    files = {"orgs.csv": better, "manifest.csv": MANIFEST + "file.orgs,bulk\n"}
    district.deliver("2026-09-04T010000Z", files)
    arguments = ("cycle", "--inbox", str(district.inbox), "--skip-failed")
    assert "--reason" in district.run(*arguments).err
    because = ("--reason", "the vendor has sent another export")
    done = district.run(*arguments, *because, now="2026-09-04T18:00:00Z")
    assert done.code == 0, done.out + done.err
    return district


@pytest.mark.more
def test_a_failed_cycle_is_left_behind_and_the_next_takes_its_files_and_what_came_since(
    left_behind: District,
) -> None:
    district = left_behind
    assert district.ledger("select cycle_id, status from landing.cycles order by 1") == [
        (1, "completed"),
        (2, "skipped"),
        (3, "completed"),
    ]
    assert district.warehouse(
        "select delivery_name, first_cycle_id from audit.audit_ingestion_log "
        "where feed = 'oneroster/orgs' order by 1"
    ) == [(FIRST, 1), (SECOND, 3), ("2026-09-03T010000Z", 3), ("2026-09-04T010000Z", 3)]
    assert district.warehouse("select org_id from core.dim_org where is_active order by 1") == [
        ("d1",),
        ("s1",),
        ("s2",),
    ]
    assert district.warehouse("select cycle_id from audit.audit_cycle_log order by 1") == [
        (1,),
        (3,),
    ]
    assert district.run("verify").code == 0
    again = district.run("cycle", "--inbox", str(district.inbox), "--skip-failed", "--reason", "x")
    assert again.code == 2, "nothing has failed any more"
    blank = district.run("cycle", "--inbox", str(district.inbox), "--reason", " ")
    assert "No cycle was needed" in blank.out, "a blank reason decides nothing"


@pytest.mark.long
def test_cycles_come_again_though_one_between_them_was_left_behind(left_behind: District) -> None:
    replayed = left_behind.run("verify", "--replay", "--json")
    assert replayed.code == 0, replayed.out + replayed.err


@pytest.mark.long
def test_cycles_come_again_though_one_of_them_had_to_be_repeated(failing: Failing) -> None:
    replayed = failing.ended.run("verify", "--replay", "--json")
    assert replayed.code == 0, replayed.out + replayed.err


@pytest.mark.more
def test_a_failed_cycle_is_published_when_somebody_says_so_and_why(
    one_night: District, failing: Failing, tmp_path: Path
) -> None:
    because = ("--reason", "the board meets today")
    arguments = ("cycle", "--inbox", str(one_night.inbox), "--publish-anyway")
    done = one_night.run(*arguments, *because, now="2026-09-02T18:00:00Z")
    assert done.code == 2
    assert "No cycle has failed, so there is none to publish." in done.err

    district = failing.failed.copy(tmp_path)
    arguments = ("cycle", "--inbox", str(district.inbox), "--publish-anyway")
    done = district.run(*arguments, now="2026-09-03T22:00:00Z")
    assert done.code == 2
    assert "--reason" in done.err
    done = district.run(*arguments, *because, now="2026-09-03T22:00:00Z")
    assert done.code == 3, done.out + done.err
    assert "although these checks failed" in done.out
    assert "every_file_balances" in done.out
    assert district.warehouse(
        "select cycle_id, run_status, failed_attempt_count from audit.audit_cycle_log order by 1"
    ) == [(1, "completed", 0), (2, "published_anyway", 1)]
    events = "select kind, split_part(detail, ': ', 2) from landing.events where subject = '2' "
    assert ("cycle_publish_anyway", "the board meets today") in district.ledger(events)
    assert "although checks failed: the board meets today" in district.run("status").out
    overview = (district.home / "report" / "index.html").read_text(encoding="utf-8")
    assert "not all of it can be relied on" in overview
    assert "the board meets today" in overview
    falsify(district, -1)
    assert district.run("verify").code == 0
    again = district.run(*arguments, *because, now="2026-09-03T23:00:00Z")
    assert again.code == 2, "it has been published"


def test_the_published_warehouse_is_read_only_and_complete(one_night: District) -> None:
    warehouse = one_night.home / "warehouse.duckdb"
    assert warehouse.stat().st_mode & 0o777 == 0o400
    assert not warehouse.with_name("warehouse.duckdb.wal").exists()
    assert (one_night.home / "landing.duckdb").stat().st_mode & 0o777 == 0o600


def test_a_home_without_room_says_so_is_locked_while_dbt_runs_and_recovers(
    district: District,
) -> None:
    """A limit on the size of a file fails writes as a full disk does.

    Dbt runs in the process that holds the lock, so nothing of it outlives that process.
    """
    deliver_two_nights(district)
    district.take_parsed()
    environment = os.environ | {
        "ROLLCALL_HOME": str(district.home),
        "ROLLCALL_NOW": "2026-09-02T18:00:00Z",
    }
    limited = f"ulimit -f 64; exec {ROLLCALL} cycle --inbox {district.inbox}"
    stopped = subprocess.run(
        ["bash", "-c", limited], env=environment, capture_output=True, text=True, check=False
    )
    assert stopped.returncode == 1
    assert "Traceback" not in stopped.stderr
    command = [str(ROLLCALL), "cycle", "--inbox", str(district.inbox)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 600  # however busy the machine is
    while not list((district.home / "logs").glob("dbt.log")) and time.monotonic() < deadline:
        time.sleep(0.05)
    files = ("--reason", "it is busy", "orgs.csv")
    try:
        for arguments in (("release", *files), ("cycle", "--inbox", str(district.inbox))):
            done = district.run(*arguments)
            assert done.code == 5
            assert "Another rollcall process is writing" in done.err
        assert district.land().code == 5
        assert process.poll() is None, "the cycle ended before it could be killed"
    finally:
        process.kill()
        process.wait()
    assert not (district.home / "warehouse.duckdb").exists()
    code, out = cycle(district, night=2)
    assert code == 0, out
    assert district.warehouse("select count(*) from core.dim_org") == [(2,)]


def test_landing_waits_for_a_reader_of_its_database_and_says_so(district: District) -> None:
    deliver_two_nights(district)
    assert district.land().code == 0
    district.deliver(FIRST, {"orgs.csv": ORGS + ORG_ROWS}, source="lms")
    environment = os.environ | {"ROLLCALL_HOME": str(district.home)}
    command = [str(ROLLCALL), "land", "--inbox", str(district.inbox)]
    with duckdb.connect(str(district.home / "landing.duckdb"), read_only=True) as reader:
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        said = process.stderr.readline()
        assert process.poll() is None
        assert reader.execute("select count(*) from landing.landing.deliveries").fetchall() == [
            (2,)
        ]
    _, more = process.communicate(timeout=60)
    assert (process.returncode, more) == (0, ""), "it is said once"
    assert said.startswith("rollcall: Waiting up to 60 seconds: landing.duckdb is open in ")
    assert f"(PID {os.getpid()})" in said
    assert district.ledger("select count(*) from landing.deliveries") == [(3,)]

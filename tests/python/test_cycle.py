"""Cycles: numbered, resumed after a crash, published only when the tests pass."""

import hashlib
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from conftest import MANIFEST, ORG_ROWS, ORGS, ROLLCALL, District, state

FIRST = "2026-09-01T010000Z"
SECOND = "2026-09-02T010000Z"


def cycle(district: District, night: int = 1) -> tuple[int, str]:
    done = district.run("cycle", "--inbox", str(district.inbox), now=f"2026-09-0{night}T18:00:00Z")
    return done.code, done.out + done.err


def deliver_two_nights(district: District) -> None:
    manifest = MANIFEST + "file.orgs,bulk\n"
    district.deliver(FIRST, {"orgs.csv": ORGS + ORG_ROWS, "manifest.csv": manifest})
    rows = "d1,,,Plainfield Unified,district,100,\n"
    district.deliver(SECOND, {"orgs.csv": ORGS + rows, "manifest.csv": manifest})


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_cycle_sees_what_its_cutoff_allows_and_absence_removes(district: District) -> None:
    deliver_two_nights(district)
    code, out = cycle(district, night=1)
    assert code == 0, out
    assert district.warehouse("select org_id, name, is_active from core.dim_org order by 1") == [
        ("d1", "Plainfield Schools", True),
        ("s1", "North School", True),
    ]
    names = "select name from warehouse.core.dim_org where org_id = 'd1'"
    with duckdb.connect() as reader:
        reader.execute(f"attach '{district.home / 'warehouse.duckdb'}' as warehouse (read_only)")
        code, out = cycle(district, night=2)
        assert code == 0, out
        assert reader.execute(names).fetchall() == [("Plainfield Schools",)], "its own state"
    assert district.warehouse("select org_id, name, is_active from core.dim_org order by 1") == [
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


def test_a_bare_dbt_build_equals_the_published_warehouse(
    district: District, dbt: Callable[..., str], tmp_path: Path
) -> None:
    deliver_two_nights(district)
    cycle(district, night=1)
    cycle(district, night=2)
    for arguments in ((), (), ("--full-refresh",)):
        dbt(
            *("build", "--exclude-resource-type", "unit_test", *arguments),
            home=district.home,
            target_path=tmp_path / "target",
        )
        built = state(district.home, "dev.duckdb")
        assert built == state(district.home)
        assert len(built) > 20


def test_the_cutoff_never_goes_back(district: District) -> None:
    deliver_two_nights(district)
    assert cycle(district, night=2)[0] == 0
    arguments = ("cycle", "--inbox", str(district.inbox), "--cutoff", "2026-09-01T18:00:00Z")
    done = district.run(*arguments)
    assert done.code == 2
    assert "cycles only go forward" in done.err


def test_a_failed_test_publishes_nothing_and_the_same_cycle_is_repeated(
    district: District,
) -> None:
    deliver_two_nights(district)
    assert cycle(district, night=1)[0] == 0
    before = sha256(district.home / "warehouse.duckdb")
    district.run("land", "--inbox", str(district.inbox), now="2026-09-02T18:00:00Z")
    with duckdb.connect(str(district.home / "landing.duckdb")) as connection:
        connection.execute("update landing.landing.files set record_count = record_count + 1")
    code, out = cycle(district, night=2)
    assert code == 4
    assert "every_file_balances" in out
    assert sha256(district.home / "warehouse.duckdb") == before
    assert not (district.home / "building.duckdb").exists()
    with duckdb.connect(str(district.home / "landing.duckdb")) as connection:
        connection.execute("update landing.landing.files set record_count = record_count - 1")
    done = district.run("cycle", "--inbox", str(district.inbox), now="2026-09-02T22:00:00Z")
    assert done.code == 0, done.out + done.err
    assert district.ledger(
        "select cycle_id, cutoff_at::varchar, status from landing.cycles order by 1"
    ) == [
        (1, "2026-09-01 18:00:00", "completed"),
        (2, "2026-09-02 18:00:00", "completed"),
    ]


def test_a_failed_cycle_is_published_when_somebody_says_so_and_why(district: District) -> None:
    deliver_two_nights(district)
    assert cycle(district, night=1)[0] == 0
    arguments = ("cycle", "--inbox", str(district.inbox), "--publish-anyway")
    because = ("--reason", "the board meets today")
    done = district.run(*arguments, *because, now="2026-09-02T18:00:00Z")
    assert done.code == 2
    assert "No cycle has failed" in done.err
    with duckdb.connect(str(district.home / "landing.duckdb")) as connection:
        connection.execute("update landing.landing.files set record_count = record_count + 1")
    assert cycle(district, night=2)[0] == 4

    done = district.run(*arguments, now="2026-09-02T22:00:00Z")
    assert done.code == 2
    assert "--reason" in done.err
    done = district.run(*arguments, *because, now="2026-09-02T22:00:00Z")
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
    with duckdb.connect(str(district.home / "landing.duckdb")) as connection:
        connection.execute("update landing.landing.files set record_count = record_count - 1")
    assert district.run("verify").code == 0
    again = district.run(*arguments, *because, now="2026-09-02T23:00:00Z")
    assert again.code == 2, "it has been published"


def test_new_code_rebuilds_incremental_tables(district: District) -> None:
    deliver_two_nights(district)
    assert cycle(district, night=1)[0] == 0
    with duckdb.connect(str(district.home / "landing.duckdb")) as connection:
        connection.execute("update landing.landing.cycles set code_version = 'older'")
    assert cycle(district, night=2)[0] == 0
    assert district.warehouse("select count(*) from core.dim_org") == [(2,)]


def test_the_published_warehouse_is_read_only_and_complete(district: District) -> None:
    deliver_two_nights(district)
    assert cycle(district, night=1)[0] == 0
    warehouse = district.home / "warehouse.duckdb"
    assert warehouse.stat().st_mode & 0o777 == 0o400
    assert not warehouse.with_name("warehouse.duckdb.wal").exists()
    assert (district.home / "landing.duckdb").stat().st_mode & 0o777 == 0o600


def test_dbt_keeps_the_home_locked_when_its_parent_is_killed(district: District) -> None:
    deliver_two_nights(district)
    environment = os.environ | {
        "ROLLCALL_HOME": str(district.home),
        "ROLLCALL_NOW": "2026-09-02T18:00:00Z",
    }
    command = [str(ROLLCALL), "cycle", "--inbox", str(district.inbox)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list((district.home / "logs").glob("dbt.log")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.wait()
    files = ("--reason", "it is busy", "orgs.csv")
    for arguments in (("cycle", "--inbox", str(district.inbox)), ("release", *files)):
        done = district.run(*arguments)
        assert done.code == 5
        assert "Another rollcall process is writing" in done.err
    assert district.land().code == 5
    while cycle(district, night=2)[0] == 5 and time.monotonic() < deadline:
        time.sleep(0.5)
    assert district.warehouse("select count(*) from core.dim_org") == [(2,)]


def test_landing_waits_for_a_reader_of_its_database_and_says_so(district: District) -> None:
    deliver_two_nights(district)
    assert district.land().code == 0
    district.deliver(FIRST, {"orgs.csv": ORGS + ORG_ROWS}, source="lms")
    environment = os.environ | {"ROLLCALL_HOME": str(district.home)}
    command = [str(ROLLCALL), "land", "--inbox", str(district.inbox)]
    with duckdb.connect(str(district.home / "landing.duckdb"), read_only=True) as reader:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=5)
        assert reader.execute("select count(*) from landing.landing.deliveries").fetchall() == [
            (2,)
        ]
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert district.ledger("select count(*) from landing.deliveries") == [(3,)]


def test_a_home_without_room_says_so_and_recovers(district: District) -> None:
    """A limit on the size of a file fails writes as a full disk does."""
    deliver_two_nights(district)
    command = f"ulimit -f 64; exec {ROLLCALL} cycle --inbox {district.inbox}"
    environment = os.environ | {
        "ROLLCALL_HOME": str(district.home),
        "ROLLCALL_NOW": "2026-09-02T18:00:00Z",
    }
    process = subprocess.run(
        ["bash", "-c", command], env=environment, capture_output=True, text=True, check=False
    )
    assert process.returncode == 1
    assert "Traceback" not in process.stderr
    code, out = cycle(district, night=2)
    assert code == 0, out
    assert district.warehouse("select count(*) from core.dim_org") == [(2,)]

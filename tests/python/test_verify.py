"""Verify finds every change to the ledger or the archive, and says where it stands."""

import shutil
from pathlib import Path

import duckdb
import pytest
from conftest import MANIFEST, ORG_ROWS, ORGS, District

from rollcall.home import archive_path
from rollcall.ledger.ledger import event_hash


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two landings, a malformed record and a rejected file."""
    folder = tmp_path_factory.mktemp("verify")
    (folder / "inbox" / "sis").mkdir(parents=True)
    (folder / "inbox" / "lms").mkdir()
    district = District(folder / "home", folder / "inbox")
    manifest = MANIFEST + "file.orgs,bulk\n"
    district.deliver("2026-09-01T010000Z", {"orgs.csv": ORGS + ORG_ROWS, "manifest.csv": manifest})
    assert district.land().code == 0
    bad = ORGS + ORG_ROWS + "s9,short\n"
    district.deliver("2026-09-02T010000Z", {"orgs.csv": bad, "users.csv": "a,b\n1,2\n"})
    assert district.land().code == 3
    return folder / "home"


@pytest.fixture
def home(untouched: Path, tmp_path: Path) -> District:
    """Give a copy of that home to tamper with."""
    shutil.copytree(untouched, tmp_path / "home")
    return District(tmp_path / "home", tmp_path)


def tamper(district: District, sql: str) -> None:
    with duckdb.connect() as connection:
        connection.execute("attach ? as store", [str(district.home / "landing.duckdb")])
        connection.execute("use store")
        connection.execute(sql)


def problems(district: District, *arguments: str) -> list[str]:
    done = district.run("verify", "--json", *arguments)
    found: list[str] = done.json["problems"]
    assert done.code == (3 if found else 0)
    return found


def test_an_untouched_home_verifies_and_prints_its_head(home: District) -> None:
    assert problems(home) == []
    [(head,)] = home.ledger("select max_by(sha256, event_number) from landing.events")
    assert home.run("verify").out.strip().endswith(head)
    assert problems(home, "--head", head) == []


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("update landing.events set detail = 'x' where event_number = 3", "Event 3 (file_accepted"),
        ("update landing.events set happened_at = happened_at + interval 1 second "
         "where event_number = 2", "Event 2 "),
        ("delete from landing.events where event_number = 3", "Events 3 to 3 have been removed"),
        ("delete from landing.events where event_number <= 2", "Events 1 to 2 have been removed"),
        ("update landing.events set event_number = event_number + 1 where event_number >= 4; "
         "insert into landing.events select 4, job_id, happened_at, kind, subject, detail, "
         "entries_sha256, previous_sha256, sha256 from landing.events where event_number = 3",
         "Event 4 does not follow the one before it"),
        ("update landing.files set verdict = 'accepted' where verdict = 'rejected'",
         "The entry of file"),
        ("update landing.files set record_count = 3 where record_count = 2", "The entry of file"),
        ("delete from landing.files where verdict = 'rejected'", "has been removed"),
        ("insert into landing.files select 'forged' as file_id, * exclude (file_id) "
         "from landing.files limit 1", "a file 'forged' of which no event tells"),
        ("update landing.malformed_records set line_number = 3", "The entry of file"),
        ("delete from landing.malformed_records", "The entry of file"),
        ("update landing.deliveries set exported_at = exported_at + interval 1 day "
         "where exported_at < '2026-09-02'", "The entry of delivery"),
        ("delete from landing.findings", "The entry of job"),
        ("insert into landing.decisions values (1, 9, 'f', 'release', 'r', 'me', '2026-09-01')",
         "a decision '1' of which no event tells"),
        ("insert into landing.cycles values "
         "(1, 9, '2026-09-01', 'completed', 'c', 's', '2026-09-01', null)",
         "a cycle '1' of which no event tells"),
    ],
)  # fmt: skip
def test_a_changed_removed_or_inserted_entry_is_found(
    home: District, sql: str, sentence: str
) -> None:
    tamper(home, sql)
    found = problems(home)
    assert any(sentence in problem for problem in found), found


def test_a_tail_cut_off_is_found_by_a_head_kept_elsewhere(home: District) -> None:
    [(head,)] = home.ledger("select max_by(sha256, event_number) from landing.events")
    tamper(
        home,
        "delete from landing.findings where job_id = 2; "
        "delete from landing.malformed_records; "
        "delete from landing.files where job_id = 2; "
        "delete from landing.deliveries where job_id = 2; "
        "delete from landing.events where job_id = 2",
    )
    assert problems(home) == [], "what is left is a whole chain"
    assert f"does not hold the head {head}" in problems(home, "--head", head)[0]


def archived(district: District) -> Path:
    [(sha256,)] = district.ledger(
        "select sha256 from landing.files where file_name = 'orgs.csv' and malformed_count = 1"
    )
    return archive_path(district.home / "archive", sha256)


def test_a_changed_byte_in_the_archive_is_found(home: District) -> None:
    path = archived(home)
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)
    [problem] = problems(home)
    assert "archived bytes of sis/2026-09-02T010000Z/orgs.csv have been changed" in problem


def test_a_file_missing_from_the_archive_is_found(home: District) -> None:
    archived(home).unlink()
    [problem] = problems(home)
    assert "no longer holds sis/2026-09-02T010000Z/orgs.csv" in problem


def test_there_must_be_a_ledger(tmp_path: Path) -> None:
    done = District(tmp_path / "home", tmp_path).run("verify")
    assert done.code == 2
    assert "nothing in" in done.err


def test_an_event_is_not_mistaken_for_another() -> None:
    """Fields cannot be moved from one to the next: each is hashed with its length."""
    assert event_hash("", ["release", "file"]) != event_hash("", ["releasefile", ""])
    assert event_hash("", ["ab", "c"]) != event_hash("", ["a", "bc"])

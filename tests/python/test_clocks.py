"""A clock that was ahead once is said each night, and what it did is taken back by a command."""

from pathlib import Path

import pytest
from conftest import MANIFEST, ORG_ROWS, ORGS, District, state

BULK = MANIFEST + "file.orgs,bulk\n"
LATER = "d1,,,Plainfield Unified,district,100,\n"


def night(district: District, now: str, *options: str) -> tuple[int, str]:
    arguments = ("cycle", "--inbox", str(district.inbox), "--no-report", *options)
    done = district.run(*arguments, now=now)
    return done.code, " ".join((done.out + done.err).split())


@pytest.fixture(scope="module")
def ahead(tmp_path_factory: pytest.TempPathFactory) -> tuple[District, District]:
    """Run a night with a clock that is half a year ahead; gives that home, and one without it."""
    folder = tmp_path_factory.mktemp("clocks")
    district = District(folder / "home", folder / "inbox")
    district.deliver("2026-09-01T010000Z", {"orgs.csv": ORGS + ORG_ROWS, "manifest.csv": BULK})
    code, said = night(district, "2026-09-01T18:00:00Z")
    assert code == 0, said
    plain = district.copy(folder / "plain")
    district.deliver("2026-09-02T010000Z", {"orgs.csv": ORGS + LATER, "manifest.csv": BULK})
    code, said = night(district, "2027-03-01T18:00:00Z")
    assert code in (0, 3), said
    return district, plain


@pytest.mark.long
def test_a_cutoff_that_lies_ahead_is_said_each_night_and_taken_back(
    ahead: tuple[District, District], tmp_path: Path
) -> None:
    """All tables are then what they would be had the clock been right; a replay gives them too."""
    district, plain = ahead[0].copy(tmp_path / "ahead"), ahead[1].copy(tmp_path / "plain")
    code, said = night(district, "2026-09-02T18:00:00Z")
    assert code == 3, said
    assert "AHEAD: the newest cut-off, 2027-03-01T18:00:00Z, has not come yet" in said
    status = district.run("status", now="2026-09-02T18:00:00Z")
    assert "cycle --skip-ahead --reason" in status.out
    doctor = district.run("doctor", now="2026-09-02T18:00:00Z")
    assert (doctor.code, "BAD clock: the newest cut-off" in doctor.out) == (3, True)
    because = ("--skip-ahead", "--reason", "the clock was set")
    code, said = night(district, "2026-09-02T18:00:00Z", *because)
    assert code == 0, said
    assert district.ledger("select cycle_id, status, cutoff_at::varchar from landing.cycles") == [
        (1, "completed", "2026-09-01 18:00:00"),
        (2, "skipped", "2027-03-01 18:00:00"),
        (3, "completed", "2026-09-02 18:00:00"),
    ]
    plain.deliver("2026-09-02T010000Z", {"orgs.csv": ORGS + LATER, "manifest.csv": BULK})
    code, said = night(plain, "2026-09-02T18:00:00Z")
    assert code == 0, said
    assert district.warehouse("select org_id, name, is_active from core.dim_org order by 1") == (
        plain.warehouse("select org_id, name, is_active from core.dim_org order by 1")
    )
    mine, its = state(district.home), state(plain.home)
    changed = {table for table in its if mine[table] != its[table]}
    assert not {table for table in changed if table.startswith(("core", "progression", "snap"))}
    assert night(district, "2026-09-02T19:00:00Z", *because)[0] == 2, "none lies ahead any more"
    replayed = district.run("verify", "--replay", "--json")
    assert replayed.code == 0, replayed.out + replayed.err


@pytest.mark.long
def test_a_cutoff_of_the_future_is_refused(ahead: tuple[District, District]) -> None:
    code, said = night(ahead[1], "2026-09-02T18:00:00Z", "--cutoff", "2026-09-05T18:00:00Z")
    assert (code, "lies ahead: it is 2026-09-02T18:00:00Z now" in said) == (2, True)


@pytest.mark.long
def test_age_and_timeliness_are_judged_by_now(ahead: tuple[District, District]) -> None:
    """An export of the future is not on time, and nothing is younger than now."""
    home, inbox = ahead[0].home.parent / "younger", ahead[0].inbox
    district = District(home, inbox)
    district.land(now="2026-09-01T18:00:00Z")
    found = district.run("status", "--json", now="2026-09-01T18:00:00Z").json
    [sis] = [source for source in found["sources"] if source["source_id"] == "sis"]
    assert sis["age_hours"] == 17.0
    assert [row["delivery_name"] for row in found["in_future"]] == ["2026-09-02T010000Z"]

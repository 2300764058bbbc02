"""Limits: what a bad night would do is held, a person decides once, and no limit forgets.

One story, told night by night through the real command; each test looks at a part of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import MANIFEST, ORGS, District
from stories import Scene, Telling, Tellings, told_together

from rollcall.contracts.project import Contracts
from rollcall.home import Home
from rollcall.landing.inbox import land

USERS = (
    "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,"
    "familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password\n"
)
TERMS = (
    "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear\n"
)
RESULTS = (
    "sourcedId,status,dateLastModified,lineItemSourcedId,studentSourcedId,scoreStatus,score,"
    "scoreDate,comment\n"
)
THIS_YEAR = TERMS + "y27,,,2026/27,schoolYear,2026-08-15,2027-06-12,,2027\n"
LAST_YEAR = TERMS + "y26,,,2025/26,schoolYear,2025-08-15,2026-06-12,,2026\n"
TWO_SCHOOLS = (
    ORGS + "d1,,,Plainfield,district,100,\ns1,,,North,school,101,d1\ns2,,,South,school,102,d1\n"
)
S1 = [f"a{number:02d}" for number in range(20)]
S2 = [f"b{number:02d}" for number in range(20)]


def users(ids: Iterable[str], prefix: str = "", renamed: Mapping[str, str] | None = None) -> str:
    """Write users: those whose id begins with `a` belong to s1, others to s2."""
    rows = []
    for user_id in ids:
        org = "s1" if user_id.startswith("a") else "s2"
        name = (renamed or {}).get(user_id, "Family")
        rows.append(
            f"{prefix}{user_id},,,true,{org},student,login.{user_id},,Given,{name},,,,,,,05,\n"
        )
    return USERS + "".join(rows)


def results(status: str, count: int, day: str = "2026-09-01", score: str = "7") -> str:
    modified = day if "-" in day else "2026-09-03"
    rows = (
        f"r{number:02d},{status},{modified}T10:00:00.000Z,li,a{number % 20:02d},fully graded,"
        f"{score},{day},\n"
        for number in range(count)
    )
    return RESULTS + "".join(rows)


def roster(
    district: District, source: str, night: int, user_rows: str, terms: str = THIS_YEAR
) -> None:
    manifest = MANIFEST + "file.orgs,bulk\nfile.users,bulk\nfile.academicSessions,bulk\n"
    district.deliver(
        f"2026-09-0{night}T010000Z",
        {
            "orgs.csv": TWO_SCHOOLS,
            "users.csv": user_rows,
            "academicSessions.csv": terms,
            "manifest.csv": manifest,
        },
        source,
    )


def gradebook(district: District, source: str, night: int, rows: str) -> None:
    district.deliver(
        f"2026-09-0{night}T160000Z",
        {"results.csv": rows, "manifest.csv": MANIFEST + "file.results,delta\n"},
        source=source,
    )


class Story:
    """What each night came to."""

    def __init__(self, scene: Scene) -> None:
        scene.declare(due_feeds="")
        self.scene = scene
        self.district = scene.district
        self.said: dict[str, dict[str, Any]] = {}
        self.alarms: dict[str, list[str]] = {}
        self.students: dict[str, set[str]] = {}
        self.results: dict[str, set[str]] = {}

    @property
    def is_own(self) -> str:
        """Say in SQL whether a row is of its sources."""
        return f"source_id in ('{self.scene.roster_source}', '{self.scene.gradebook}')"

    def cycle(self, name: str) -> None:
        """Remember what a cycle said and what is active then."""
        self.said[name] = self.scene.said
        self.alarms[name] = self.scene.alarms()
        self.students[name] = self.active("dim_user", "user_id", self.scene.roster_source)
        self.results[name] = self.active("fct_result", "result_id", self.scene.gradebook)

    def active(self, table: str, key: str, source: str) -> set[str]:
        """Ask which records of a source are active."""
        found = self.district.warehouse(
            f"select {key} from core.{table} where is_active and source_id = '{source}'"
        )
        return {row[0] for row in found}

    def land(self, name: str, night: int) -> None:
        """Land alone, before the next cycle."""
        done = self.district.land(now=f"2026-09-0{night}T12:00:00Z")
        assert done.code in (0, 3), done.err
        self.said[name] = {"landed": done.json, "exit_code": done.code}

    def file(self, name: str, feed: str) -> dict[str, Any]:
        """Return what was said of one file."""
        [found] = [
            file
            for file in self.said[name]["landed"]["files"]
            if file["feed"] == f"oneroster/{feed}"
            and file["source_id"] in (self.scene.roster_source, self.scene.gradebook)
        ]
        return dict(found)

    def decide(self, name: str, decision: str, feed: str, night: int) -> str:
        """Decide on a file; returns what the command printed."""
        done = self.district.run(
            *(decision, self.file(name, feed)["file_id"], "--reason", "asked the school"),
            now=f"2026-09-0{night}T19:00:00Z",
        )
        return done.out + done.err


@told_together(Story, others_look=True)
def test_what_each_night_came_to(told: Story) -> Telling:
    district, sis, lms = told.district, told.scene.roster_source, told.scene.gradebook
    roster(district, sis, 1, users([*S1, *S2]))
    gradebook(district, lms, 1, results("active", 30))
    yield 1
    told.cycle("all is well")

    roster(district, sis, 2, users([*S1, "a99"], renamed={"a00": "Changed"}))
    gradebook(district, lms, 2, results("tobedeleted", 20, "2026-09-02"))
    yield 2
    told.cycle("a school and scores are gone")

    roster(district, sis, 3, users([*S1, "a99"]))
    gradebook(district, lms, 3, results("active", 30, "09/03/2026"))
    yield 3
    told.cycle("the school is still gone, dates are American")

    roster(district, sis, 4, users([*S1, *S2, "a99"], prefix="new-"))
    told.land("every id is new", 4)
    yield 4
    renamed = dict.fromkeys(S1, "New")
    roster(district, sis, 5, users([*S1, *S2, "a99"], renamed=renamed), LAST_YEAR)
    told.land("last year again", 5)
    told.said["status"] = district.run("status", "--json", now="2026-09-05T12:00:00Z").json

    told.said["release"] = {
        "out": told.decide("the school is still gone, dates are American", "release", "users", 5)
    }
    told.said["release again"] = {
        "out": told.decide("the school is still gone, dates are American", "release", "users", 5)
    }
    told.said["refuse"] = {"out": told.decide("last year again", "refuse", "users", 5)}
    told.said["release scores"] = {
        "out": told.decide("a school and scores are gone", "release", "results", 5)
    }
    yield 5
    told.cycle("decided")


@pytest.fixture(scope="module")
def story(tellings: Tellings) -> Story:
    """Give the story that was told."""
    told: Story = tellings.stories["test_what_each_night_came_to"]
    return told


def test_removals_over_the_limit_wait_while_additions_and_changes_go_on(story: Story) -> None:
    name = "a school and scores are gone"
    file = story.file(name, "users")
    assert (file["verdict"], file["are_removals_held"]) == ("accepted", True)
    assert file["code"] == "MASS_DELETION"
    assert "20 of 40 active records would be removed (50.0 %, limit 10 %)" in file["detail"]
    assert "org 's2' lacks 20 of 20" in file["detail"]
    assert story.said[name]["exit_code"] == 3
    assert story.alarms == story.alarms | {"all is well": [], name: ["MASS_DELETION"] * 2}
    assert story.students[name] == {*S1, *S2, "a99"}


def test_deletions_by_record_over_the_limit_wait_too(story: Story) -> None:
    name = "a school and scores are gone"
    file = story.file(name, "results")
    assert (file["verdict"], file["are_removals_held"]) == ("accepted", True)
    assert "20 of 30 active records would be removed" in file["detail"]
    assert len(story.results[name]) == 30


def test_a_limit_does_not_forget(story: Story) -> None:
    """The second bulk without the school equals the one before; it is held all the same."""
    name = "the school is still gone, dates are American"
    file = story.file(name, "users")
    assert (file["code"], file["are_removals_held"]) == ("MASS_DELETION", True)
    assert story.students[name] == {*S1, *S2, "a99"}


def test_a_changed_date_format_rejects_the_file_and_the_state_stands(story: Story) -> None:
    file = story.file("the school is still gone, dates are American", "results")
    assert (file["verdict"], file["code"]) == ("rejected", "TYPE_CHANGED")
    assert "month/day/year" in file["detail"]
    assert len(story.results["the school is still gone, dates are American"]) == 30


def test_ids_renamed_wholesale_hold_the_file(story: Story) -> None:
    file = story.file("every id is new", "users")
    assert (file["verdict"], file["code"]) == ("held", "ID_CHURN")
    assert "41 of 41 active records are missing, and 41 of them are there" in file["detail"]
    assert story.file("every id is new", "orgs")["verdict"] == "accepted"


def test_an_export_of_another_school_year_holds_every_bulk_of_it(story: Story) -> None:
    name = "last year again"
    for feed in ("academic_sessions", "users", "orgs"):
        file = story.file(name, feed)
        assert (file["verdict"], file["code"]) == ("held", "SCHOOL_YEAR_MISMATCH")
    assert "ended on 2026-06-12" in story.file(name, "academic_sessions")["detail"]
    assert story.students["decided"].isdisjoint(f"new-{user}" for user in S1)


def test_status_lists_what_waits_and_what_was_rejected(story: Story) -> None:
    held = {(row["feed"], row["code"]) for row in story.said["status"]["held_files"]}
    assert {
        ("oneroster/users", "MASS_DELETION"),
        ("oneroster/users", "ID_CHURN"),
        ("oneroster/users", "SCHOOL_YEAR_MISMATCH"),
        ("oneroster/results", "MASS_DELETION"),
    } <= held
    assert "TYPE_CHANGED" in {row["code"] for row in story.said["status"]["rejected_files"]}


def test_a_release_takes_effect_in_the_next_cycle_even_without_a_new_file(story: Story) -> None:
    assert "The next cycle removes" in story.said["release"]["out"]
    assert story.students["decided"] == {*S1, "a99"}
    assert len(story.results["decided"]) == 10


def test_a_decision_is_taken_once_and_recorded_with_who_when_and_why(story: Story) -> None:
    assert "was already released by" in story.said["release again"]["out"]
    assert "never used" in story.said["refuse"]["out"]
    decisions = story.district.ledger(
        "select decision, reason, decided_by <> '', decided_at::varchar "
        f"from landing.decisions inner join landing.files using (file_id) where {story.is_own} "
        "order by decision_id"
    )
    assert decisions == [
        (decision, "asked the school", True, "2026-09-05 19:00:00")
        for decision in ("release", "refuse", "release")
    ]
    assert story.district.warehouse(
        "select feed, decision, decision_reason from audit.audit_ingestion_log "
        f"where decision is not null and {story.is_own} order by all"
    ) == [
        ("oneroster/results", "release", "asked the school"),
        ("oneroster/users", "refuse", "asked the school"),
        ("oneroster/users", "release", "asked the school"),
    ]


def test_every_file_that_was_seen_balances(story: Story) -> None:
    assert story.district.warehouse(
        "select count(*) > 5, bool_and(is_balanced) from reconciliation.recon_file_balance"
    ) == [(True, True)]


def test_the_ledger_of_all_this_verifies(story: Story) -> None:
    done = story.district.run("verify", "--json")
    assert (done.code, done.json["problems"]) == (0, [])


def test_nothing_that_is_not_held_can_be_decided(story: Story) -> None:
    done = story.district.run(
        "release", story.file("all is well", "users")["file_id"], "--reason", "why not"
    )
    assert done.code == 2
    own = f"{story.scene.roster_source}/2026-09-01T010000Z/users.csv"
    assert f"Nothing of {own} is held" in done.err
    done = story.district.run("release", "users.csv", "--reason", "which one?")
    assert done.code == 2
    assert "files are called 'users.csv'" in done.err
    done = story.district.run("refuse", "nothing.csv", "--reason", "typo")
    assert done.code == 2
    assert "No landed file is called 'nothing.csv'" in done.err
    held = story.file("every id is new", "users")["file_id"]
    done = story.district.run("release", held, "--reason", "  ")
    assert done.code == 2
    assert "needs a reason" in done.err


def land_with(
    story: Story, folder: Path, night: int, user_rows: str, **policy: Any
) -> tuple[str, str | None, str]:
    """Land users with a policy that their source declares; gives what became of their file."""
    source = story.scene.roster_source
    (folder / source).mkdir()
    roster(District(story.district.home, folder), source, night, user_rows)
    contracts = Contracts.load(story.district.project / "seeds" / "contracts")
    own = {source: replace(contracts.sources[source], **policy)}
    home = Home(story.district.home)
    with home.lock():
        contracts = replace(contracts, sources={**contracts.sources, **own})
        report = land(home, folder, contracts, datetime(2026, 9, night, 12))
    [file] = [file for file in report.files if file.feed == "oneroster/users"]
    return file.verdict, file.code, file.detail or ""


def test_a_source_may_ask_for_the_whole_file_to_wait(story: Story, tmp_path: Path) -> None:
    few = users(S1[:10])
    verdict, code, _ = land_with(story, tmp_path, 6, few, removal_policy="hold_file")
    assert (verdict, code) == ("held", "MASS_DELETION")


@pytest.mark.parametrize(
    ("night", "policy", "expected"), [(7, "warn", "accepted"), (8, "hold", "held")]
)
def test_changes_over_their_limit_warn_or_hold_as_the_source_declares(
    story: Story, tmp_path: Path, night: int, policy: str, expected: str
) -> None:
    everyone = [*S1, "a99"]
    renamed = users(everyone, renamed=dict.fromkeys(everyone, f"Renamed by {policy}"))
    verdict, code, detail = land_with(story, tmp_path, night, renamed, change_policy=policy)
    assert (verdict, code) == (expected, "MASS_CHANGE")
    assert "21 of 21 known records have changed" in detail

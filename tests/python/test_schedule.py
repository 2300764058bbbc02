"""The schedule: what is due when, what is late and what is missing, through cycles and clocks."""

from dataclasses import replace
from datetime import datetime
from itertools import islice

import duckdb
import pytest
from conftest import MANIFEST, ORG_ROWS, ORGS, Project, read_csv
from stories import Scene, Telling, told_together

from rollcall.contracts.project import Contracts
from rollcall.ledger import ledger, schedule
from rollcall.project import PROJECT_DIR

CONTRACTS = Contracts.load(PROJECT_DIR / "seeds" / "contracts")
NIGHTLY = replace(
    CONTRACTS.sources["sis"],
    schedule="0 20 * * *",
    grace_minutes=180,
    time_zone="America/Chicago",
    due_feeds=("oneroster/orgs", "oneroster/users"),
)
AT = datetime(2026, 9, 3, 18)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ("2026-09-01T04:00:00", "2026-09-01T01:00:00"),
        ("2026-09-01T03:59:59", "2026-08-31T01:00:00"),
        ("2026-11-02T18:00:00", "2026-11-02T02:00:00"),
        ("2026-11-01T18:00:00", "2026-11-01T01:00:00"),
        ("2027-03-15T18:00:00", "2027-03-15T01:00:00"),
    ],
)
def test_an_export_is_due_a_grace_after_its_time_in_the_zone_of_the_source(
    until: str, expected: str
) -> None:
    """Eight in the evening in Chicago is 01:00 UTC in summer and 02:00 in winter."""
    [(expected_at, due_at)] = islice(schedule.scheduled(NIGHTLY, at(until)), 1)
    assert expected_at == at(expected)
    assert (due_at - expected_at).total_seconds() == 3 * 3600


def test_weekends_without_an_export_are_not_missed() -> None:
    weekdays = replace(NIGHTLY, schedule="0 20 * * 1-5")
    [(monday, _), (friday, _)] = islice(schedule.scheduled(weekdays, at("2026-09-08T18:00:00")), 2)
    assert (monday, friday) == (at("2026-09-08T01:00:00"), at("2026-09-05T01:00:00"))


def test_a_source_without_a_schedule_is_never_due() -> None:
    assert list(schedule.scheduled(replace(NIGHTLY, schedule=""), AT)) == []


def ledger_with(*files: tuple[str, str, str]) -> duckdb.DuckDBPyConnection:
    """A ledger with files: (feed, exported at, verdict)."""
    connection = duckdb.connect()
    connection.execute("attach ':memory:' as store")
    connection.execute("use store")
    ledger.prepare(connection, CONTRACTS)
    for number, (feed, exported_at, verdict) in enumerate(files):
        ledger.put(
            connection,
            "files",
            {
                "file_id": str(number),
                "delivery_id": str(number),
                "job_id": 1,
                "source_id": "sis",
                "delivery_name": "d",
                "file_name": "f",
                "feed": feed,
                "are_removals_held": False,
                "sha256": "",
                "byte_count": 0,
                "verdict": verdict,
                "exported_at": at(exported_at),
                "landed_at": at(exported_at),
            },
        )
    return connection


ONLY_NIGHTLY = replace(CONTRACTS, sources={"sis": NIGHTLY})


def test_a_feed_is_due_from_its_first_arrival_on() -> None:
    connection = ledger_with(("oneroster/orgs", "2026-09-01T01:00:00", "accepted"))
    due = schedule.newly_due(connection, ONLY_NIGHTLY, AT, since=at("2026-08-01T00:00:00"))
    assert [(export.feed, export.expected_at.day) for export in due] == [
        ("oneroster/orgs", 1),
        ("oneroster/orgs", 2),
        ("oneroster/orgs", 3),
    ]
    [newest] = schedule.newly_due(connection, ONLY_NIGHTLY, AT, since=None)
    assert newest.expected_at.day == 3
    [only_one] = schedule.newly_due(connection, ONLY_NIGHTLY, AT, since=at("2026-09-02T18:00:00"))
    assert only_one == newest


@pytest.mark.parametrize(
    ("exported_at", "verdict", "is_missing"),
    [
        ("2026-09-03T01:00:00", "accepted", False),
        ("2026-09-03T05:30:00", "accepted", False),
        ("2026-09-03T00:59:59", "accepted", True),
        ("2026-09-03T01:00:00", "held", True),
        ("2026-09-03T01:00:00", "rejected", True),
    ],
)
def test_only_a_usable_file_not_before_the_scheduled_time_meets_an_export(
    exported_at: str, verdict: str, is_missing: bool
) -> None:
    connection = ledger_with(
        ("oneroster/orgs", "2026-09-01T01:00:00", "accepted"),
        ("oneroster/orgs", exported_at, verdict),
    )
    missing = schedule.missing(connection, ONLY_NIGHTLY, AT)
    assert [export.feed for export in missing] == ["oneroster/orgs"] * is_missing


def a_roster(scene: Scene) -> Scene:
    """Begin with a roster as the shipped one, whose exports are due at 01:00 UTC."""
    scene.declare()
    return scene


def deliver(story: Scene, night: int, *feeds: str) -> None:
    rows = {
        "orgs.csv": ORGS + ORG_ROWS,
        "courses.csv": "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,"
        "grades,orgSourcedId,subjects,subjectCodes\nc1,,,,Maths,M1,,d1,,\n",
    }
    manifest = MANIFEST + "".join(f"file.{feed},bulk\n" for feed in feeds)
    files = {f"{feed}.csv": rows[f"{feed}.csv"] for feed in feeds}
    name = f"2026-09-0{night}T010000Z"
    story.district.deliver(name, files | {"manifest.csv": manifest}, story.roster_source)


@told_together(a_roster)
def test_a_missing_feed_is_told_night_by_night_and_healed_by_the_next_export(
    story: Scene,
) -> Telling:
    district, is_own = story.district, f"source_id = '{story.roster_source}'"
    deliver(story, 1, "orgs", "courses")
    yield 1
    assert story.alarms() == []
    deliver(story, 2, "orgs")
    yield 2
    assert story.alarms() == ["oneroster/courses"]
    yield 3
    assert story.alarms() == ["oneroster/courses", "oneroster/orgs"]
    deliver(story, 3, "orgs")
    deliver(story, 4, "orgs", "courses")
    yield 4
    assert story.alarms() == []

    assert district.warehouse(
        "select cycle_id, feed, status, missed_count from audit.audit_sync_lag "
        f"where status is not null and {is_own} order by all"
    ) == [
        (1, "oneroster/courses", "on_time", 0),
        (1, "oneroster/orgs", "on_time", 0),
        (2, "oneroster/courses", "missing", 1),
        (2, "oneroster/orgs", "on_time", 0),
        (3, "oneroster/courses", "missing", 1),
        (3, "oneroster/orgs", "missing", 1),
        (4, "oneroster/courses", "on_time", 0),
        (4, "oneroster/orgs", "on_time", 0),
    ]
    assert district.warehouse(
        "select export_to_landing_max_hours, landing_to_visible_p50_hours from "
        f"audit.audit_sync_lag where cycle_id = 2 and feed = 'oneroster/orgs' and {is_own}"
    ) == [(17.0, 0.0)]
    assert district.ledger(
        "select cycle_id, count(*) from landing.findings "
        "where code = 'FEED_MISSING' "
        f"and starts_with(detail, '{story.roster_source}: ') group by all order by 1"
    ) == [(2, 1), (3, 2)]
    assert district.warehouse(
        f"select count(*) from core.dim_course where is_active and {is_own}"
    ) == [(1,)]


@told_together(a_roster)
def test_status_says_on_time_late_missing_or_never(story: Scene) -> Telling:
    def status_of_feeds(now: str, source: str = story.roster_source) -> dict[str, str]:
        report = story.district.run("status", "--json", now=now).json
        own = [feed for feed in report["feeds"] if feed["source_id"] == source]
        return {feed["feed"]: feed["status"] for feed in own}

    deliver(story, 1, "orgs", "courses")
    yield 1
    assert status_of_feeds("2026-09-01T18:30:00Z")["oneroster/orgs"] == "on_time"
    yield 2
    deliver(story, 2, "orgs")
    story.district.land(now="2026-09-02T19:00:00Z")
    said = status_of_feeds("2026-09-02T20:00:00Z")
    assert said["oneroster/orgs"] == "late"
    assert said["oneroster/courses"] == "missing"
    assert said["oneroster/users"] == "never"
    assert status_of_feeds("2026-09-02T20:00:00Z", story.gradebook)["oneroster/results"] == "never"
    text = story.district.run("status", now="2026-09-01T18:30:00Z").out
    assert "on_time" in text
    assert max(len(line) for line in text.splitlines()) <= 80


CLOCKS = {"chicago": ("30 1 * * *", "America/Chicago"), "berlin": ("30 2 * * *", "Europe/Berlin")}
ACROSS_CLOCKS: list[tuple[str, dict[str, str], set[str]]] = [
    ("2026-10-24T02:15:00Z", {"berlin": "2026-10-24T003000Z"}, set()),
    ("2026-10-25T02:15:00Z", {}, {"berlin"}),
    (
        "2026-10-31T08:15:00Z",
        {"berlin": "2026-10-31T013000Z", "chicago": "2026-10-31T063000Z"},
        set(),
    ),
    ("2026-11-01T08:15:00Z", {}, {"berlin", "chicago"}),
    ("2026-11-02T08:15:00Z", {"chicago": "2026-11-02T073000Z"}, {"berlin"}),
    (
        "2027-03-14T08:15:00Z",
        {"berlin": "2027-03-14T013000Z", "chicago": "2027-03-14T073000Z"},
        set(),
    ),
    ("2027-03-28T01:15:00Z", {"chicago": "2027-03-27T063000Z"}, {"berlin"}),
]
"""Cut-offs about two in the morning, what has come by then, and whose export is missing."""


@pytest.mark.long
def test_command_warehouse_and_status_agree_when_the_clocks_change(project: Project) -> None:
    """An hour comes twice in the fall and is left out in spring, in which an export is due."""
    path = project.project / "seeds" / "contracts" / "sources.csv"
    [sis] = [row for row in read_csv(path) if row["source_id"] == "sis"]
    with path.open("a", encoding="utf-8") as stream:
        for source_id, (cron, zone) in CLOCKS.items():
            own = {"source_id": source_id, "roster_source_id": source_id, "schedule": cron}
            own |= {"time_zone": zone, "grace_minutes": "10", "due_feeds": "oneroster/orgs"}
            stream.write(",".join((sis | own).values()) + "\n")
    for number, (cutoff, sent, missing) in enumerate(ACROSS_CLOCKS, 1):
        for source_id, name in sent.items():
            files = {"orgs.csv": ORGS + ORG_ROWS, "manifest.csv": MANIFEST + "file.orgs,bulk\n"}
            project.deliver(name, files, source_id)
        done = project.cycle(cutoff)
        assert {export["source_id"] for export in done.json["missing"]} == missing, cutoff
        assert done.code == (3 if missing else 0)
        status = project.run("status", "--json", now=cutoff).json["feeds"]
        late = {feed["source_id"] for feed in status if feed["status"] == "missing"}
        assert late == missing, cutoff
        assert project.warehouse(
            "select source_id from audit.audit_sync_lag "
            f"where cycle_id = {number} and status = 'missing' order by 1"
        ) == [(source_id,) for source_id in sorted(missing)]
        [(feeds, is_provisional)] = project.warehouse(
            "select missing_feeds, is_provisional from transform.int_cycle_completeness"
        )
        assert feeds == [f"{source_id} oneroster/orgs" for source_id in sorted(missing)]
        assert is_provisional == bool(missing)

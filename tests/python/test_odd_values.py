"""Every odd value in every staged column: what is harmless changes nothing, the rest is said.

Four exports, of two versions and both modes, come twice from sources of their own: once as they
should be, and once with each value odd in one record. The rows must be those of the plain twin.
Assessments come once, with each value of each column that may be anything, of students whose birth
dates may be anything, too: they reach evidence and mastery, and no model fails.
"""

from collections import defaultdict
from typing import Any

import pytest
from conftest import Project, copy_of_the_project, read_csv
from odd_values import (
    LAST_DAYS,
    LISTS,
    POISON,
    ROSTER_FAMILIES,
    Odd,
    all_blank,
    as_csv,
    files,
    plain_record,
    poisoned,
    poisoned_grid,
)

from rollcall.contracts.project import Contracts
from rollcall.project import PROJECT_DIR

pytestmark = pytest.mark.more

CONTRACTS = Contracts.load(PROJECT_DIR / "seeds" / "contracts")
KINDS = [
    ("1.0", "bulk"),
    *((version, mode) for version in ("1.1", "1.2.1") for mode in ("bulk", "delta")),
]
ZONES = (
    "Asia/Kathmandu",
    "America/Chicago",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Europe/London",
)
"""One for each kind: days end up to 14 hours before and 11 hours after they do in UTC."""
STAGED = [feed for feed in CONTRACTS.feeds if feed.is_staged and feed.family in ROSTER_FAMILIES]
LINEAGE = {
    *("file_id", "line_number", "record_number", "exported_at", "landed_at", "visible_at"),
    *("source_id", "roster_source_id", "version_at", "warnings"),
}


VENDORS = {
    "nwea": "Pacific/Pago_Pago",
    "iready": "Pacific/Kiritimati",
    "star": "America/Chicago",
    "canvas": "Asia/Kathmandu",
    "state": "Pacific/Pago_Pago",
}
LINKED_BY = (
    *("StudentID", "Student ID", "StudentIdentifier", "student sis id", "LocalStudentIdentifier"),
    "STN",
)
"""The columns that hold the district's id of a student."""
STUDENT_COLUMNS = (*LINKED_BY, "student id", "user_id")
GRADEBOOK = "canvas/gradebook"
SIS_FEEDS = ("users", "courses", "sections", "enrollments")
PEOPLE = "people"
POISONED = [
    (feed, poisoned(max(CONTRACTS.versions(feed.feed), key=lambda it: int(it.version)), columns))
    for feed, columns in ((feed, STUDENT_COLUMNS) for feed in CONTRACTS.feeds)
    if feed.family in VENDORS and feed.feed != GRADEBOOK
]
"""The feeds of assessments, each with records of its newest layout."""
METHODS = ("standard_decaying_average", "average", "n_mastery", "asserted")


def students() -> dict[str, str]:
    """Write the students of the roster, some of them with a birth date that may be anything."""
    layouts = {
        feed: next(it for it in CONTRACTS.versions(f"oneroster/{feed}") if it.version == "1.1")
        for feed in ("users", "demographics")
    }
    count = max(len(records) for _, records in POISONED)
    named = {"familyName": "A1", "givenName": "A1"}
    users = [
        plain_record(layouts["users"], f"k{number}", "bulk") | named | {"identifier": f"k{number}"}
        for number in range(count)
    ]
    blank = dict.fromkeys(layouts["demographics"].names, "")
    born = [
        blank | {"sourcedId": f"k{number}", "birthDate": value}
        for number, value in enumerate((*POISON["date"], *POISON["datetime"]))
    ]
    texts = {"users.csv": as_csv(users), "demographics.csv": as_csv(born)}
    return texts | {"manifest.csv": manifest_of("1.1", "bulk", texts)}


def seeds_of_assessments() -> dict[str, str]:
    """Say whose the results are and what they are about, by every method."""
    feeds = [(feed.family, feed.feed, records[0]) for feed, records in POISONED]
    ids = [(PEOPLE, "oneroster/users", "identifier")]
    ids += [
        (family, feed, column)
        for family, feed, columns in feeds
        for column in LINKED_BY
        if column in columns
    ]
    ids.append(("canvas", GRADEBOOK, "SIS User ID"))
    lessons = [f"i-Ready lesson/A1/k{number}" for number in range(400)]
    about = [
        *(("nwea", name) for name in ("MAP Growth/A1", "MAP Growth/A1/A1")),
        *(("iready", name) for name in ("i-Ready/Reading", "i-Ready/Mathematics", *lessons)),
        *(("star", name) for name in ("Star", "Star/A1", "Star/k1")),
        *(("canvas", f"Canvas outcome/k{number}") for number in range(600)),
        *(("canvas", f"Canvas assignment/{number}") for number in range(99)),
        *(("state", f"{test}/A1") for test in ("CMAS", "ILEARN")),
        *(("state", name) for name in ("CMAS/A1/Subclaim 1", "ILEARN/A1/Category 1")),
    ]
    return {
        "identity_columns": "".join(f"{','.join(row)},d,district,1,,true,\n" for row in ids),
        "objective_alignment": "".join(
            f"{source_id},assessment,{name},{method},\n"
            for source_id, name in about
            for method in METHODS
        ),
        "administrations": "state,ILEARN,2026-08-20,2027,Any.\n",
        "mastery_rules": "".join(
            f"{method},1,objective,{method},{method},65,1,70,1,,2,true,2000-01-01,,Any.\n"
            for method in METHODS
        ),
    }


def name_of(version: str, mode: str, what: str) -> str:
    return f"{what}_{version.replace('.', '')}_{mode}"


def manifest_of(version: str, mode: str, texts: dict[str, str]) -> str:
    """Write the manifest of an export."""
    head = f"propertyName,value\nmanifest.version,1.0\noneroster.version,{version[:3]}\n"
    return head + "".join(f"file.{name[:-4]},{mode}\n" for name in texts)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Any]:
    """Land all exports and run one cycle."""
    project = copy_of_the_project(tmp_path_factory.mktemp("odd"))
    contracts = project.project / "seeds" / "contracts"
    [like] = [row for row in read_csv(contracts / "sources.csv") if row["source_id"] == "lms"]
    sources, limits = [], []

    def declare(source_id: str, zone: str = "UTC", **said: str) -> None:
        own = {"source_id": source_id, "roster_source_id": source_id, "due_feeds": ""}
        own |= {"time_zone": zone, "mode_authority": "manifest"} | said
        sources.append(",".join((like | own).values()) + "\n")
        limits.append(f"{source_id},max_rejected_percent,100,Every value is odd once.\n")

    for (version, mode), zone in zip(KINDS, ZONES, strict=True):
        for what in ("odd", "plain"):
            source_id = name_of(version, mode, what)
            declare(source_id, zone)
            texts, _ = files(CONTRACTS, version, mode, is_odd=what == "odd")
            texts["manifest.csv"] = manifest_of(version, mode, texts)
            project.deliver("2026-09-01T010000Z", texts, source_id)
    for feed in STAGED:
        source_id = f"blank_{feed.feed.split('/')[1]}"
        declare(source_id)
        text = all_blank(CONTRACTS, feed.feed, "1.2.1")
        project.deliver("2026-09-01T010000Z", {feed.file_name: text}, source_id)
    declare(PEOPLE)
    project.deliver("2026-09-01T010000Z", students(), PEOPLE)
    for family, zone in VENDORS.items():
        said = {"families": family, "roster_source_id": PEOPLE, "default_mode": "bulk"}
        declare(family, zone, **said)
        texts = {feed.file_name: as_csv(tests) for feed, tests in POISONED if feed.family == family}
        texts |= {"gradebook.csv": poisoned_grid()} if family == "canvas" else {}
        project.deliver("2026-09-01T010000Z", texts, family)
    for seed, text in seeds_of_assessments().items():
        with (project.project / "seeds" / "rules" / f"{seed}.csv").open("a") as stream:
            stream.write(text)
    with (contracts / "sources.csv").open("a", encoding="utf-8") as stream:
        stream.writelines(sources)
    with (contracts / "limits.csv").open("a", encoding="utf-8") as stream:
        stream.writelines(limits)
    done = project.cycle("2026-09-01T18:00:00Z")
    assert done.code == 3, done.out + done.err
    return project, done.json


def rows_of(project: Project, mart: str, key: str, source_id: str) -> dict[str, dict[str, Any]]:
    """Return the rows of a source by the id of their record, without lineage and joined keys."""
    columns = [
        name
        for (name,) in project.warehouse(f"select column_name from (describe {mart})")
        if name not in LINEAGE and not name.endswith(("_key", "_keys")) and name != key
    ]
    listed = ", ".join(columns)
    return {
        row[0]: dict(zip(columns, row[1:], strict=True))
        for row in project.warehouse(
            f"select {key}, {listed} from {mart} where source_id = '{source_id}' order by {key}"
        )
    }


@pytest.mark.parametrize(("version", "mode"), KINDS)
def test_what_is_harmless_changes_no_row_and_the_rest_is_said(
    told: tuple[Project, Any], version: str, mode: str
) -> None:
    project, _ = told
    odd_source, plain_source = (name_of(version, mode, what) for what in ("odd", "plain"))
    found = defaultdict(set)
    for table in ("audit_rejected_record", "audit_record_warning"):
        for feed, key, code, column in project.warehouse(
            f"select feed, record_key, code, column_name from audit.{table} "
            f"where source_id = '{odd_source}'"
        ):
            found[feed, key].add((code, column))
    wrong = []
    _, odd = files(CONTRACTS, version, mode, is_odd=True)
    for feed in STAGED:
        of_feed = [item for item in odd if item.feed == feed.feed]
        if not of_feed:
            continue
        marts = CONTRACTS.mart_of(feed.feed)
        assert marts is not None
        mart, [key] = marts
        mine = rows_of(project, mart, key.staged_column, odd_source)
        plain = rows_of(project, mart, key.staged_column, plain_source)
        wrong += [problem for item in of_feed for problem in _problems(item, mine, plain, found)]
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong[:60])


def _problems(
    item: Odd,
    mine: dict[str, dict[str, Any]],
    plain: dict[str, dict[str, Any]],
    found: dict[tuple[str, str], set[tuple[str, str]]],
) -> list[str]:
    what = f"{item.feed} {item.column.name} {item.value!r} is {item.effect}"
    row, twin = mine.get(item.key), plain.get(item.key)
    said = {code for code, column in found[item.feed, item.key] if column == item.column.name}
    said |= {code for code, column in found[item.feed, item.key] if column is None}
    if twin is None:
        return [f"{what}, but the plain record has no row"]
    if item.effect in ("rejected", "malformed"):
        problems = [] if row is None else [f"{what}, but has a row"]
        is_said = item.code in said if item.code else True
        if not is_said and item.column.is_key and item.code == "REQUIRED_MISSING":
            is_said = True  # without a key it cannot be looked up by it
        return problems + ([] if is_said else [f"{what}, but said is {said}"])
    if row is None:
        return [f"{what}, but has no row; said is {found[item.feed, item.key]}"]
    but = {item.column.staged_column} if item.effect == "left out" else set()
    but |= set(twin) if item.effect == "kept" else set()
    other = sorted(name for name in twin if twin[name] != row[name] and name not in but)
    problems = [f"{what}, but {other} differ"] if other else []
    if item.code and item.code not in said:
        problems.append(f"{what}, but {item.code} is not said: {said}")
    return problems


def test_lists_without_commas_and_days_in_the_wrong_order_are_warned_of_in_every_feed(
    told: tuple[Project, Any],
) -> None:
    found = told[0].warehouse(
        "select distinct code, feed, column_name from audit.audit_record_warning "
        "where code in ('DATES_REVERSED', 'LIST_SEPARATOR') "
        f"and source_id = '{name_of('1.2.1', 'bulk', 'odd')}'"
    )
    staged = [
        (feed.feed, column)
        for feed in STAGED
        for layout in CONTRACTS.versions(feed.feed)
        for column in layout.columns
        if layout.version == "1.2.1" and column.staged_as
    ]
    last_days = {(feed, column.name) for feed, column in staged if column.name in LAST_DAYS}
    lists = {(feed, column.name) for feed, column in staged if column.data_type in LISTS}
    assert (len(last_days), len(lists)) == (4, 9)
    assert set(found) == {("DATES_REVERSED", *place) for place in last_days} | {
        ("LIST_SEPARATOR", *place) for place in lists
    }


def test_a_file_of_which_every_record_is_rejected_is_not_accepted(
    told: tuple[Project, Any],
) -> None:
    _, said = told
    verdicts = {
        file["source_id"]: file["verdict"]
        for file in said["landed"]["files"]
        if file["source_id"].startswith("blank_")
    }
    assert len(verdicts) == len(STAGED)
    assert "accepted" not in verdicts.values(), verdicts


def test_no_value_of_an_assessment_makes_a_model_fail(told: tuple[Project, Any]) -> None:
    """They are staged, or rejected with a code, and reach evidence and mastery."""
    project, said = told
    files = [file for file in said["landed"]["files"] if file["source_id"] in VENDORS]
    assert {file["feed"] for file in files} == {feed.feed for feed, _ in POISONED} | {GRADEBOOK}
    assert {file["verdict"] for file in files} == {"accepted"}
    assert not project.warehouse(
        "select * from audit.audit_rejected_record "
        f"where source_id in {tuple(VENDORS)} and code is null"
    )
    found = project.warehouse(
        "select source_id, feed, disposition, min(percent), max(percent) "
        "from progression.fct_evidence "
        f"where source_id in {tuple(VENDORS)} group by all"
    )
    by_source = {source: {row[2] for row in found if row[0] == source} for source in VENDORS}
    for family, known in by_source.items():
        assert {"usable", "unlinked", "in_future"} <= known, family
    assert {source for source in VENDORS if "out_of_range" in by_source[source]} == {
        *("iready", "star", "canvas", "state")
    }
    assert {feed for _, feed, disposition, *_ in found if disposition == "usable"} == {
        feed.feed for feed in CONTRACTS.feeds if feed.family in VENDORS
    } - {"nwea/students", *(f"canvas/{feed}" for feed in SIS_FEEDS)}
    assert all(low >= 0 and high <= 200 for *_, low, high in found if low is not None)
    assert {
        objective
        for (objective,) in project.warehouse(
            "select distinct objective_id from progression.fct_mastery where evidence_count > 0"
        )
    } >= set(METHODS)
    latest = project.warehouse("select max(event_at)::varchar from core.fct_assessment_result")
    assert latest[0][0] < "9999-12-31 23:59:59.999", "a year that few programs read"


def test_nothing_is_unexplained(told: tuple[Project, Any]) -> None:
    project, _ = told
    for table in ("recon_missing_record", "recon_unexpected_record", "recon_diverging_value"):
        assert (
            project.warehouse(f"select * from reconciliation.{table} where not is_explained") == []
        )
    assert project.warehouse("from reconciliation.recon_file_balance where not is_balanced") == []


def test_terms_of_years_that_cannot_be_stop_no_landing(told: tuple[Project, Any]) -> None:
    """Land them after a cycle, whose terms they are compared with; what cannot be read is none."""
    project, _ = told
    [layout] = [
        layout
        for layout in CONTRACTS.versions("oneroster/academic_sessions")
        if layout.version == "1.1"
    ]
    ended = {"startDate": "2025-08-15", "endDate": "2026-06-12", "schoolYear": "2026"}
    for version, mode, ends in (
        ("1.1", "bulk", ("10000-01-01", "20270-06-30", "294247-01-01")),
        ("1.1", "delta", ("0000-01-01", "0001-01-01", "-infinity")),
        ("1.2.1", "bulk", ("infinity", "5881580-07-10", ended["endDate"])),
    ):
        records = [
            plain_record(layout, str(number), mode) | ended | {"endDate": end}
            for number, end in enumerate(ends, 1)
        ]
        texts = {"academicSessions.csv": as_csv(records)}
        texts["manifest.csv"] = manifest_of("1.1", mode, texts)
        project.deliver("2027-08-01T010000Z", texts, name_of(version, mode, "odd"))
    done = project.land(now="2027-08-01T12:00:00Z")
    assert done.code == 3, done.out + done.err
    [held] = [file for file in done.json["files"] if file["verdict"] == "held"]
    assert (held["source_id"], held["code"]) == (
        name_of("1.2.1", "bulk", "odd"),
        "SCHOOL_YEAR_MISMATCH",
    )

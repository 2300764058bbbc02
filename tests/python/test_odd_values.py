"""Every odd value in every staged column: what is harmless changes nothing, the rest is said.

Four exports, of two versions and both modes, come twice from sources of their own: once as they
should be, and once with each value odd in one record. The rows must be those of the plain twin.
"""

from collections import defaultdict
from typing import Any

import pytest
from conftest import Project, copy_of_the_project, read_csv
from odd_values import LAST_DAYS, LISTS, Odd, all_blank, as_csv, files, plain_record

from rollcall.contracts.project import Contracts
from rollcall.project import PROJECT_DIR

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
STAGED = [
    feed for feed in CONTRACTS.feeds if feed.is_staged and feed.family in ("oneroster", "overrides")
]
LINEAGE = {
    *("file_id", "line_number", "record_number", "exported_at", "landed_at", "visible_at"),
    *("source_id", "roster_source_id", "version_at", "warnings"),
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

    def declare(source_id: str, zone: str = "UTC") -> None:
        own = {"source_id": source_id, "roster_source_id": source_id, "due_feeds": ""}
        own |= {"time_zone": zone, "mode_authority": "manifest"}
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

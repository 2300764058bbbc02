"""What a bulk is whole of where that is not all: limits, what waits, and contracts."""

import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from rollcall.contracts.layouts import Layout
from rollcall.contracts.project import Contracts
from rollcall.contracts.reading import ContractError
from rollcall.landing.turn_of_term import StoredFile
from rollcall.landing.verdicts import Judgement
from rollcall.landing.volume_checks import judge_volume
from rollcall.ledger import ledger
from rollcall.ledger.entries import held_files
from rollcall.ledger.parts import whole_by
from rollcall.project import PROJECT_DIR

CONTRACTS = Contracts.load(PROJECT_DIR / "seeds" / "contracts")
FALL, WINTER = "Fall 2026-2027", "Winter 2026-2027"
LISTED, STAR = "nwea/students", "star/overall"
TWENTY = [f"{number:02d}" for number in range(20)]


def newest(feed: str) -> Layout:
    return CONTRACTS.versions(feed)[-1]


@pytest.fixture
def landing() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a landing whose last good cycle has twenty students of fall and as many results."""
    with duckdb.connect() as connection:
        ledger.prepare(connection, CONTRACTS)
        connection.execute("attach ':memory:' as good; create schema good.core")
        connection.execute(
            "create table good.core.dim_nwea_student as select 'sis' as source_id, "
            "? as term_name, 'North' as school_name, unnest(?) as student_id, "
            "true as is_active, timestamp '2026-09-01' as exported_at",
            [FALL, TWENTY],
        )
        connection.execute(
            "create table good.core.fct_star_result as select source_id, 2027 as data_year, "
            "student_id as assessment_id, is_active, exported_at from good.core.dim_nwea_student"
        )
        yield connection


def store(
    connection: duckdb.DuckDBPyConnection,
    feed: str,
    file_id: str,
    records: Iterable[tuple[str, ...]],
    *,
    day: int = 2,
    are_removals_held: bool = False,
) -> StoredFile:
    """Store a bulk: term, school and student of each record, or year and id of a result."""
    layout = newest(feed)
    names = ["TermName", "SchoolName", "StudentID", "StudentLastName"]
    if feed == STAR:
        names = ["SchoolYear", "AssessmentID"]
    at = datetime(2026, 9, day)
    connection.execute(
        "insert into landing.files by name select ? as file_id, 'd' as delivery_id, 1 as job_id, "
        "'sis' as source_id, 'd' as delivery_name, 'f.csv' as file_name, ? as feed, "
        "? as layout_version, ? as raw_table, 'bulk' as mode, ? as are_removals_held, "
        "'' as sha256, 0 as byte_count, 'accepted' as verdict, ? as exported_at, ? as landed_at",
        [file_id, feed, layout.version, layout.raw_table, are_removals_held, at, at],
    )
    count = 0
    for count, record in enumerate(records, 1):
        fields = ", ".join(f'? as "{name}"' for name in names[: len(record)])
        connection.execute(
            f"insert into {layout.raw_table} by name select ? as file_id, ? as layout_version, "
            f"? as record_number, ? as line_number, 0 as byte_offset, {fields}",
            [file_id, layout.version, count, count + 1, *record],
        )
    [of_feed] = [item for item in CONTRACTS.feeds if item.feed == feed]
    source = CONTRACTS.sources["sis"]
    source = replace(source, limits=replace(source.limits, floor_count=5))
    return StoredFile(file_id, source, of_feed, layout, "bulk", at, count, 0)


def codes(found: Iterable[Judgement]) -> list[str]:
    return [judgement.code for judgement in found]


def test_limits_count_what_is_active_of_the_terms_that_a_file_lists(
    landing: duckdb.DuckDBPyConnection,
) -> None:
    winter = store(landing, LISTED, "w", [(WINTER, "North", "01")])
    assert codes(judge_volume(landing, winter)) == []
    both = [(WINTER, "North", "01"), *((f" {FALL} ", "North", student) for student in TWENTY[:15])]
    [found] = judge_volume(landing, store(landing, LISTED, "b", both))
    assert found.code == "MASS_DELETION"
    assert "5 of 20 active records would be removed (25.0 %" in found.sentence
    nothing = store(landing, LISTED, "n", [])
    assert codes(judge_volume(landing, nothing)) == [], "it lists no term"


def test_a_year_is_the_same_however_it_is_written(landing: duckdb.DuckDBPyConnection) -> None:
    few = store(landing, STAR, "few", [("2026-2027", "01"), ("2027", "02")])
    [found] = judge_volume(landing, few)
    assert "18 of 20 active records" in found.sentence
    other = store(landing, STAR, "other", [("2025-2026", "99"), ("", "98"), ("soon", "97")])
    assert codes(judge_volume(landing, other)) == []


def test_what_changed_is_compared_with_the_bulk_before_that_lists_the_term(
    landing: duckdb.DuckDBPyConnection,
) -> None:
    store(landing, LISTED, "f1", [(FALL, "North", student, "Old") for student in TWENTY], day=2)
    store(landing, LISTED, "w1", [(WINTER, "North", "01", "Old")], day=3)
    again = [(FALL, "North", student, "New") for student in TWENTY]
    assert codes(judge_volume(landing, store(landing, LISTED, "f2", again, day=4))) == [
        "MASS_CHANGE"
    ]


def test_what_is_held_waits_until_newer_bulks_list_all_that_it_lists(
    landing: duckdb.DuckDBPyConnection,
) -> None:
    def waiting(day: int = 9) -> list[str]:
        found = held_files(landing, CONTRACTS, datetime(2026, 9, day))
        assert {"file_id", "code", "detail"} <= set(found[0]) if found else True
        return [file["file_id"] for file in found]

    records = [(FALL, "North", "01"), (WINTER, "North", "01")]
    store(landing, LISTED, "held", records, day=2, are_removals_held=True)
    assert waiting() == ["held"]
    store(landing, LISTED, "winter", [(WINTER, "North", "01")], day=3)
    assert waiting() == ["held"]
    store(landing, LISTED, "fall", [(FALL, "North", "01")], day=4)
    assert (waiting(3), waiting()) == (["held"], [])


def test_marts_and_contracts_name_the_same_columns() -> None:
    """What a mart reads is the column that `feeds.csv` names, as its layouts stage it."""
    named = {feed.mart: feed for feed in CONTRACTS.feeds if feed.mart.startswith("core.")}
    columns = set()
    for mart, feed in named.items():
        path = PROJECT_DIR / "models" / "marts" / f"{mart.replace('.', '/')}.sql"
        found = re.findall(
            r"whole_by=\('(\w+)', \w+\('([^']+)'\)\)", path.read_text(encoding="utf-8")
        )
        columns |= {feed.whole_by}
        layouts = [layout for layout in CONTRACTS.versions(feed.feed) if layout.is_staged]
        parts = {part[0] if (part := whole_by(feed, layout)) else "" for layout in layouts}
        assert parts == {found[0][0] if found else ""}, mart
        assert [column for _, column in found] == [feed.whole_by] * bool(feed.whole_by), mart
    assert columns == {"", "TermName", "Academic Year", "SchoolYear", "AssessmentYear"}


def test_a_column_that_a_layout_does_not_stage_is_refused(tmp_path: Path) -> None:
    shutil.copytree(PROJECT_DIR / "seeds" / "contracts", tmp_path / "contracts")
    path = tmp_path / "contracts" / "feeds.csv"
    text = path.read_text(encoding="utf-8")
    assert ",core.dim_org,name|type,," in text
    path.write_text(text.replace("core.dim_org,name|type,,", "core.dim_org,name|type,term,"))
    with pytest.raises(ContractError, match="whole_by of oneroster/orgs is 'term', which its"):
        Contracts.load(path.parent)

"""Reconciliation finds what was corrupted, says exactly that, and explains what is not a fault."""

import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import FAULTS, ORGS, District
from stories import Scene, Telling, nothing_is_due, told_together

from rollcall.comparison.generator import compared_feeds, outdated, rendered
from rollcall.contracts.project import Contracts
from rollcall.project import PROJECT_DIR, SHIPPED

CONTRACTS = Contracts.load(PROJECT_DIR / "seeds" / "contracts")
GUIDE = (PROJECT_DIR / "docs" / "reconciliation.md").read_text(encoding="utf-8")

ENROLLED = "core.fct_enrollment where source_id = 'sis' and is_active"
ACTIVE = "core.fct_result where source_id = 'lms' and is_active"


@dataclass(frozen=True)
class Corruption:
    """Statements that corrupt the processed side, with `{}` for the key of the row they strike.

    `victim` selects the key; `found` are the differences that must be reported for it.
    """

    feed: str
    victim: str
    statements: tuple[str, ...]
    found: tuple[tuple[str, str, str], ...]
    step: str = "mart"


def _nth(relation: str, key: str, n: int) -> str:
    return f"select {key} from {relation} order by {key} limit 1 offset {n}"


CORRUPTIONS = {
    "a row dropped": Corruption(
        "oneroster/enrollments",
        _nth(ENROLLED, "enrollment_id", 10),
        ("delete from core.fct_enrollment where enrollment_id = '{}'",),
        (("missing", "{}", "sourcedId"),),
    ),
    "a row duplicated": Corruption(
        "oneroster/enrollments",
        _nth(ENROLLED, "enrollment_id", 20),
        (
            "insert into core.fct_enrollment "
            "select * from core.fct_enrollment where enrollment_id = '{}'",
        ),
        (("duplicate", "{}", "sourcedId"),),
    ),
    "a score changed": Corruption(
        "oneroster/results",
        _nth(f"{ACTIVE} and score is not null", "result_id", 10),
        ("update core.fct_result set score = score + 0.5 where result_id = '{}'",),
        (("diverging", "{}", "score"),),
    ),
    "a score lost": Corruption(
        "oneroster/results",
        _nth(f"{ACTIVE} and score is not null", "result_id", 20),
        ("update core.fct_result set score = null where result_id = '{}'",),
        (("diverging", "{}", "score"),),
    ),
    "a date changed": Corruption(
        "oneroster/results",
        _nth(ACTIVE, "result_id", 30),
        (
            "update core.fct_result set score_date = score_date - interval 1 day "
            "where result_id = '{}'",
        ),
        (("diverging", "{}", "scoreDate"),),
    ),
    "an instant changed": Corruption(
        "oneroster/results",
        _nth(ACTIVE, "result_id", 40),
        (
            "update core.fct_result set modified_at = modified_at + interval 1 hour "
            "where result_id = '{}'",
        ),
        (("diverging", "{}", "dateLastModified"),),
    ),
    "a key changed": Corruption(
        "oneroster/classes",
        _nth("core.dim_class where is_active", "class_id", 2),
        ("update core.dim_class set class_id = 'x' || class_id where class_id = '{}'",),
        (("missing", "{}", "sourcedId"), ("unexpected", "x{}", "sourcedId")),
    ),
    "a deleted one revived": Corruption(
        "oneroster/enrollments",
        _nth("core.fct_enrollment where not is_active", "enrollment_id", 0),
        ("update core.fct_enrollment set is_active = true where enrollment_id = '{}'",),
        (("unexpected", "{}", "sourcedId"),),
    ),
    "an active one withdrawn": Corruption(
        "oneroster/users",
        _nth("core.dim_user where is_active and role = 'student'", "user_id", 5),
        ("update core.dim_user set is_active = false where user_id = '{}'",),
        (("missing", "{}", "sourcedId"),),
    ),
    "two students swapped": Corruption(
        "oneroster/results",
        _nth(ACTIVE, "result_id", 50),
        (
            "create temp table pair as (select result_id, line_item_id, student_id from "
            "core.fct_result where result_id = '{}') union all (select result_id, line_item_id, "
            "student_id from core.fct_result where is_active and student_id <> (select student_id "
            "from core.fct_result where result_id = '{}') order by result_id desc limit 1)",
            "update core.fct_result set student_id = (select student_id from pair "
            "where pair.result_id <> fct_result.result_id) "
            "where result_id in (select result_id from pair)",
        ),
        (("diverging", "{}", "studentSourcedId"), ("diverging", "*", "studentSourcedId")),
    ),
    "a text truncated": Corruption(
        "oneroster/courses",
        _nth("core.dim_course where is_active", "course_id", 0),
        ("update core.dim_course set name = left(name, 3) where course_id = '{}'",),
        (("diverging", "{}", "title"),),
    ),
    "a list shortened": Corruption(
        "oneroster/classes",
        _nth("core.dim_class where is_active and len(term_ids) > 0", "class_id", 4),
        ("update core.dim_class set term_ids = [] where class_id = '{}'",),
        (("diverging", "{}", "termSourcedIds"),),
    ),
    "a row shifted by a record": Corruption(
        "oneroster/line_items",
        _nth("core.dim_line_item where is_active", "line_item_id", 3),
        (
            "update core.dim_line_item set record_number = record_number + 1 "
            "where line_item_id = '{}'",
        ),
        (("diverging", "{}", "record number"),),
    ),
    "wrong from staging on": Corruption(
        "oneroster/orgs",
        _nth("core.dim_org where is_active", "org_id", 1),
        tuple(
            f"update {table} set name = 'Elsewhere' where org_id = '{{}}'"
            for table in ("core.dim_org", "staging.stg_oneroster__orgs")
        ),
        (("diverging", "{}", "name"),),
        "staging",
    ),
    "an override turned round": Corruption(
        "overrides/mastery_overrides",
        _nth("core.fct_override where is_active and action = 'set'", "override_id", 0),
        (
            "update core.fct_override set state = case state when 'mastered' then "
            "'not_mastered' else 'mastered' end where override_id = '{}'",
        ),
        (("diverging", "{}", "state"),),
    ),
}


@pytest.fixture(scope="module")
def corrupted(
    sample_run: tuple[District, list[int]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, str], Any]:
    """Corrupt a copy of the warehouse in every way at once; give the keys and the report."""
    home = tmp_path_factory.mktemp("corrupted") / "home"
    shutil.copytree(sample_run[0].home, home)
    (home / "warehouse.duckdb").chmod(0o600)
    keys = {}
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        for name, corruption in CORRUPTIONS.items():
            struck = connection.execute(corruption.victim).fetchone()
            assert struck is not None, f"nothing to strike for: {name}"
            (keys[name],) = struck
            for statement in corruption.statements:
                connection.execute(statement.replace("{}", keys[name]))
        (keys["*"],) = connection.execute(  # the other one of the two students
            "select result_id from core.fct_result where is_active order by 1 desc limit 1"
        ).fetchone() or ("",)
    assert len(set(keys.values())) == len(keys), "a row was struck twice"
    done = District(home, home.parent).run("reconcile", "--json")
    assert done.code == 4, done.out + done.err
    return keys, done.json


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_is_reported_as_exactly_that(
    corrupted: tuple[dict[str, str], Any], name: str
) -> None:
    keys, report = corrupted
    corruption = CORRUPTIONS[name]
    struck = {
        key if key == "*" else key.replace("{}", keys[name]) for _, key, _ in corruption.found
    }
    expected = {
        (kind, keys["*"] if key == "*" else key.replace("{}", keys[name]), column)
        for kind, key, column in corruption.found
    }
    found = [
        row
        for row in report["unexplained_differences"]
        if row["feed"] == corruption.feed
        and row["record_key"] in struck | {k for _, k, _ in expected}
    ]
    assert {(row["kind"], row["record_key"], row["column_name"]) for row in found} == expected
    assert {row["suspected_layer"] for row in found} == {corruption.step}
    assert all(row["file_id"] and row["record_number"] for row in found)


def test_nothing_else_is_reported_and_the_sums_bear_witness(
    corrupted: tuple[dict[str, str], Any],
) -> None:
    _, report = corrupted
    assert report["unexplained"] == sum(len(c.found) for c in CORRUPTIONS.values())
    assert report["unequal_sums"] == []  # what was found accounts for every point


def test_the_sample_is_explained_to_the_last_record(
    sample_run: tuple[District, list[int]], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(sample_run[0].home, home)
    report = District(home, tmp_path).run("reconcile", "--json")
    assert report.code == 0
    assert report.json["unexplained"] == report.json["pending"] == 0
    assert report.json["explained"] > 0
    assert not (home / "building.duckdb").exists()


def test_night_8_shows_every_reason_and_nothing_unexplained(
    sample_run: tuple[District, list[int]],
) -> None:
    district = sample_run[0]
    night = District(district.home.parent / "night_8", district.inbox)
    marts = ("missing_record", "unexpected_record", "diverging_value")
    differences = {
        mart: night.warehouse(
            "select reason, record_key, column_name, is_explained "
            f"from reconciliation.recon_{mart} order by all"
        )
        for mart in marts
    }
    found = [difference for mart in marts for difference in differences[mart]]
    assert {reason for reason, *_ in found} == {
        "rejected",
        "unresolved",
        "held",
        "superseded",
        "deleted",
    }
    assert all(is_explained for *_, is_explained in found)
    planted = {row["fault"]: row["record_key"] for row in FAULTS if row["night"] == "8"}
    missing, diverging = differences["missing_record"], differences["diverging_value"]
    assert ("rejected", planted["missing_due_date"], "sourcedId", True) in missing
    assert ("deleted", planted["deleted_line_item_again"], "sourcedId", True) in missing
    assert ("superseded", planted["stale_line_item"], "title", True) in diverging
    assert ("unresolved", planted["unknown_class"], "class_id", True) in diverging
    assert {reason for reason, *_ in differences["unexpected_record"]} == {"held"}


COURSES = (
    "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,"
    "subjects,subjectCodes\n"
)


def _orgs(*rows: str) -> str:
    return ORGS + "".join(f"{row}\n" for row in rows)


@told_together(nothing_is_due)
def test_every_reason_is_told_and_what_is_pending_comes_true(story: Scene) -> Telling:
    district, source = story.district, story.roster_source

    def manifest(**modes: str) -> str:
        lines = "".join(f"file.{feed},{mode}\n" for feed, mode in modes.items())
        return f"propertyName,value\nmanifest.version,1.0\noneroster.version,1.1\n{lines}"

    def courses(count: int) -> str:
        return COURSES + "".join(f"c{n},,,,Course {n},{n},,d1,,\n" for n in range(count))

    first = [f"s{n},,,School {n},school,{n},d1" for n in range(1, 10)]
    district.deliver(
        "2026-09-01T010000Z",
        {
            "manifest.csv": manifest(orgs="bulk", courses="bulk"),
            "orgs.csv": _orgs("d1,,,Plainfield,district,100,", *first),
            "courses.csv": courses(20),
        },
        source,
    )
    yield 1
    assert story.alarms() == []
    new, old = "2026-09-02T00:00:00Z", "2026-08-01T00:00:00Z"
    district.deliver(
        "2026-09-02T010000Z",
        {
            "manifest.csv": manifest(orgs="delta"),
            "orgs.csv": _orgs(
                f"s1,active,{new},School One,school,1,d1",
                f"s2,tobedeleted,{new},School 2,school,2,d1",
            ),
        },
        source,
    )
    yield 2
    district.deliver(
        "2026-09-03T010000Z",
        {
            "manifest.csv": manifest(orgs="delta", courses="bulk"),
            "orgs.csv": _orgs(
                f"s1,active,{old},Old Name,school,1,d1",  # superseded
                f"s2,active,{old},School 2,school,2,d1",  # deleted since
                f"s3,active,{new},School Three,castle,3,d1",  # a type that is rejected
                f"s99,active,{new},New School,castle,99,d1",  # never taken
                f"s4,active,{new},School 4,school,4,nobody",  # its parent is unresolved
            ),
            "courses.csv": courses(5),  # removals held
        },
        source,
    )
    yield 3
    assert story.alarms() == ["MASS_DELETION"]
    differences = (
        "select {}, record_key, column_name, reason, line_number from {} "
        f"where feed = 'oneroster/orgs' and source_id = '{source}' order by 2, 3"
    )
    assert district.warehouse(
        differences.format("source_value", "reconciliation.recon_missing_record")
    ) == [("s2", "s2", "sourcedId", "deleted", 3), ("s99", "s99", "sourcedId", "rejected", 5)]
    assert district.warehouse(
        differences.format("source_value", "reconciliation.recon_diverging_value")
    ) == [
        (old, "s1", "dateLastModified", "superseded", 2),
        ("Old Name", "s1", "name", "superseded", 2),
        (new, "s3", "dateLastModified", "rejected", 4),
        ("School Three", "s3", "name", "rejected", 4),
        ("castle", "s3", "type", "rejected", 4),
        ("nobody", "s4", "parent_org_id", "unresolved", 6),
    ]
    assert district.warehouse(
        "select count(*), min(reason), max(reason), bool_and(is_explained) "
        f"from reconciliation.recon_unexpected_record where source_id = '{source}'"
    ) == [(15, "held", "held", True)]

    district.deliver(
        "2026-09-04T010000Z",
        {
            "manifest.csv": manifest(orgs="delta"),
            "orgs.csv": _orgs(
                "s2,active,2026-09-03T12:00:00Z,School 2,school,2,d1",  # returns
                "s5,tobedeleted,2026-09-03T12:00:00Z,School 5,school,5,d1",  # removed
                "s6,active,2026-09-03T12:00:00Z,School Six,school,6,d1",  # changed
                "s10,active,2026-09-03T12:00:00Z,School 10,school,10,d1",  # added
            ),
        },
        source,
    )
    assert district.land(now="2026-09-04T17:00:00Z").code == 0
    before = (district.home / "warehouse.duckdb").read_bytes()
    done = district.run("reconcile", "--json", now="2026-09-04T17:00:00Z")
    assert done.code == 0, done.out
    assert [row for row in done.json["coming"] if row["source_id"] == source] == [
        {
            "source_id": source,
            "feed": "oneroster/orgs",
            "added": 1,
            "changed": 1,
            "removed": 1,
            "returning": 1,
        }
    ]
    assert done.json["unexplained"] == 0
    assert (district.home / "warehouse.duckdb").read_bytes() == before
    words = district.run("reconcile").out
    assert "The next cycle will bring" in words
    assert "Nothing is unexplained." in words
    assert max(map(len, words.splitlines())) <= 80
    yield 4
    coming = district.run("reconcile", "--json").json["coming"]
    assert [row for row in coming if row["source_id"] == source] == []
    assert district.warehouse(
        "select org_id, name, is_active from core.dim_org "
        "where org_id in ('s2', 's5', 's6', 's10') "
        f"and source_id = '{source}' order by org_id"
    ) == [
        ("s10", "School 10", True),
        ("s2", "School 2", True),
        ("s5", "School 5", False),
        ("s6", "School Six", True),
    ]


def test_without_a_cycle_there_is_nothing_to_compare_with(district: District) -> None:
    assert district.run("init").code == 0
    done = district.run("reconcile")
    assert done.code == 2
    assert "makes the first one" in done.err


@pytest.mark.parametrize("query", re.findall(r"```sql\n(.*?)```", GUIDE, re.DOTALL))
def test_every_query_of_the_guide_runs(sample_run: tuple[District, list[int]], query: str) -> None:
    rows = sample_run[0].warehouse(query)
    assert bool(rows) is ("is distinct from true" not in query)


def test_the_comparisons_are_those_of_the_layouts() -> None:
    assert not outdated(CONTRACTS, SHIPPED), "run `make generate`"


def test_every_staged_column_is_compared_as_plain_sql() -> None:
    files = {path.name: text for path, text in rendered(CONTRACTS, SHIPPED).items()}
    feeds = {feed.feed: feed for feed in compared_feeds(CONTRACTS, SHIPPED)}
    assert set(feeds) == {layout.feed for layout in CONTRACTS.layouts if layout.is_staged}
    for feed in feeds.values():
        sql = files[f"{feed.model}.sql"]
        calls = set(re.findall(r"\{[{%] *(\w+)", sql))
        assert calls <= {"ref", "source", "config", "rollcall"}, feed.feed
        called = set(re.findall(r"rollcall\.(\w+)", sql))
        assert called <= {"compared_instant", "of_oneroster"}, feed.feed
        assert sql.count("\n{{ config(") == (feed.family != "oneroster")
        staged = {
            column.staged_as.split(".")[1]
            for layout in CONTRACTS.versions(feed.feed)
            for column in layout.columns
            if column.staged_as and not column.is_key
        } - {"is_deleted"}
        assert set(re.findall(r"'processed_column': '(\w+)'", sql)) == staged
        [path] = (PROJECT_DIR / "models/marts").rglob(f"{feed.mart}.yml")
        columns = set(re.findall(r"- \{name: (\w+), data_type", path.read_text(encoding="utf-8")))
        assert staged <= columns, feed.mart


def test_a_variant_of_a_layout_changes_no_sql() -> None:
    [base] = [item for item in CONTRACTS.versions("oneroster/orgs") if item.version == "1.1"]
    variant = replace(
        base,
        version="1.1-2",
        columns=tuple(replace(column, name=column.name.upper()) for column in base.columns[:-2]),
        raw_columns=base.raw_columns[:-2],
    )
    contracts = replace(CONTRACTS, layouts=(*CONTRACTS.layouts, variant))
    assert rendered(contracts, SHIPPED) == rendered(CONTRACTS, SHIPPED)

"""Replayable: archive and ledger alone give every table again, history and raw rows included."""

import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from conftest import NIGHTS, District, Project, state
from mastery_district import LINE_ITEMS, RESULTS, Story, night


def work(project: Project, number: int, *rows: bytes, name: str = "") -> None:
    """Deliver results as bytes: what stands right of the record's status and date."""
    modified = f"2026-09-{number:02d}T16:00:00Z".encode()
    lines = [row.replace(b"DATE", b"active," + modified, 1) + b"\n" for row in rows]
    items = [f"li-{number},active,{modified.decode()},T,,2026-09-01,2026-09-01,c1,k,t1,0,100\n"]
    project.deliver(
        f"2026-09-{number:02d}T160000Z{name}",
        {
            "lineItems.csv": LINE_ITEMS + "".join(items),
            "results.csv": RESULTS.encode() + b"".join(lines),
        },
        source="lms",
    )


@pytest.fixture
def eventful(own_project: Project) -> Project:
    """Tell nights in which a person decides on files.

    The district builds a project of its own, and no source of it sends overrides.
    """
    project = own_project
    project.declare("oneroster|overrides", "oneroster")
    story = Story(project, project.project)
    students = [f"s{number}" for number in range(12)]
    story.roster(1, students)
    work(
        project,
        1,
        b"r1,DATE,li-1,s1,fully graded,90,2026-09-01,",
        b"r2,DATE,li-1,s2,fully graded,90,2026-09-01,d\xe9j\xe0 vu",
    )
    story.cycle(1)

    rules = project.project / "seeds" / "rules" / "mastery_rules.csv"
    rules.write_text(rules.read_text(encoding="utf-8").replace(",70,", ",75,"), encoding="utf-8")
    story.roster(2, students[:3])  # most of them missing: the removals are held
    work(
        project,
        2,
        b"r3,DATE,li-2,s3,fully graded,80,2026-09-02,",
        b"r4,DATE,li-2,s4,fully graded,30,2026-09-02,\xe9tude",
    )
    assert project.land(now=night(2)).code == 3
    project.declare("utf-8", "cp1252")
    for number in (1, 2):
        file = f"lms/2026-09-0{number}T160000Z/results.csv"
        done = project.run("reprocess", file, now=night(2))
        assert done.code == 0, done.out + done.err
    story.cycle(2)

    work(project, 2, b"r3,DATE,li-2,s3,fully graded,50,2026-09-02,", name="_right")
    arguments = ("--supersede", "lms/2026-09-02T160000Z_right", "--reason", "vendor confirmed")
    done = project.land(*arguments, now="2026-09-03T20:00:00Z")
    assert done.code == 0, done.out + done.err
    reason = ("--reason", "North closed")
    released = project.run("release", "2026-09-02T010000Z/users.csv", *reason)
    assert released.code == 0, released.out + released.err
    story.cycle(4)
    assert project.ledger("select cycle_id, status from landing.cycles order by 1") == [
        (number, "completed") for number in (1, 2, 3)
    ]
    decisions = "select decision from landing.decisions order by decision_id"
    assert [row[0] for row in project.ledger(decisions)] == [
        *("reprocess", "reprocess", "supersede", "supersede", "release")
    ]
    return project


def change(database: Path, sql: str) -> None:
    database.chmod(0o600)
    with duckdb.connect(str(database)) as connection:
        connection.execute(sql)


def test_every_table_comes_again_but_those_that_somebody_changed(eventful: Project) -> None:
    """History rests on what a file was when each cycle saw it, not on what it became."""
    history = eventful.warehouse(
        "select student_id, state, threshold_percent::int, valid_from::date::text "
        "from progression.fct_mastery_history order by all"
    )
    assert ("s1", "mastered", 70, "2026-09-01") in history
    assert ("s2", "mastered", 75, "2026-09-02") in history, "its record was malformed on the first"
    shutil.rmtree(eventful.inbox)
    change(
        eventful.home / "landing.duckdb",
        "update landing.raw_oneroster.courses set title = 'Geometry' "
        "where file_id = (select min(file_id) from landing.raw_oneroster.courses)",
    )
    change(
        eventful.home / "landing.duckdb",
        "update landing.landing.cycles set code_version = 'older' where cycle_id = 1",
    )
    change(
        eventful.home / "warehouse.duckdb",
        "update core.dim_org set name = 'South School' where org_id = 's1'",
    )
    change(
        eventful.home / "warehouse.duckdb",
        "update district.mastery_by_school set student_count = 30",
    )
    before = state(eventful.home)
    done = eventful.run("verify", "--replay", "--json")
    assert done.code == 4, done.err
    assert done.json["replay"] == {
        "cycle_count": 3,
        "table_count": done.json["replay"]["table_count"],
        "other_code_cycles": [1],
        "differing_tables": [
            "raw_oneroster.courses",
            "staging.stg_landing__cycles",
            "audit.audit_cycle_log",
            "core.dim_org",
            "district.mastery_by_school",
        ],
        "first": {
            "table": "raw_oneroster.courses",
            "recorded_count": 1,
            "replayed_count": 1,
            "example": done.json["replay"]["first"]["example"],
        },
    }
    assert done.json["replay"]["table_count"] > len(before)
    assert "record_number = 1" in done.json["replay"]["first"]["example"]
    assert state(eventful.home) == before
    assert not (eventful.home / "replaying").exists()


def test_verify_compares_with_another_home_and_with_a_saved_report(
    sample_run: tuple[District, list[int]], tmp_path: Path
) -> None:
    district = replace(sample_run[0], home=tmp_path / "home")
    shutil.copytree(sample_run[0].home, district.home)
    saved = tmp_path / "saved.json"
    saved.write_text(district.run("verify", "--json").out, encoding="utf-8")
    shutil.copytree(district.home, tmp_path / "other")
    for other in (saved, tmp_path / "other"):
        done = district.run("verify", "--against", str(other), "--json")
        assert (done.code, done.json["differing_tables"]) == (0, [])
    change(
        district.home / "warehouse.duckdb",
        # neither the order of rows nor what says when they were taken counts; a row twice does
        "create or replace table core.dim_org as from core.dim_org order by org_id desc; "
        "update core.dim_org set landed_at = landed_at + interval 1 day; "
        "insert into core.dim_course from core.dim_course",
    )
    for other in (saved, tmp_path / "other"):
        done = district.run("verify", "--against", str(other), "--json")
        assert (done.code, done.json["differing_tables"]) == (4, ["core.dim_course"])
    done = district.run("verify", "--against", str(tmp_path / "nothing"))
    assert done.code == 2
    assert "neither a data directory nor a report" in done.err


def test_there_must_be_something_to_replay(district: District) -> None:
    assert district.run("init").code == 0
    done = district.run("verify", "--replay")
    assert done.code == 2
    assert "nothing to replay" in done.err


@pytest.mark.long
def test_the_sample_comes_again(sample_run: tuple[District, list[int]]) -> None:
    done = sample_run[0].run("verify", "--replay", "--json")
    assert done.code == 0, done.err
    assert done.json["replay"]["differing_tables"] == []
    assert done.json["replay"]["cycle_count"] == len(NIGHTS)

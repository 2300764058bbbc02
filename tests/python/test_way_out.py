"""A failed cycle has a way out by commands alone: what is decided since counts at its next run."""

import shutil
from pathlib import Path

import pytest
from conftest import MANIFEST, ORG_ROWS, ORGS, Done, Project, copy_of_the_project
from test_assessments import NEW, RESULTS, as_csv, declare

BULK = MANIFEST + "file.orgs,bulk\n"
BAD = "s2,,,Poison,school,102,d1\n"
MENDED = "s2,,,South School,school,102,d1\n"
MODEL = """
{{ config(contract={'enforced': false}) }}
select org_id, cast(case when name = 'Poison' then '12x' else '1' end as integer) as number
from {{ ref('dim_org') }}
"""
SECOND = "2026-09-02T010000Z"


def orgs(rows: str) -> dict[str, str | bytes]:
    return {"orgs.csv": ORGS + ORG_ROWS + rows, "manifest.csv": BULK}


def active(project: Project) -> list[str]:
    found = project.warehouse("select org_id from core.dim_org where is_active order by 1")
    return [org_id for (org_id,) in found]


def file_id(project: Project, delivery: str) -> str:
    [(found,)] = project.ledger(
        "select file_id from landing.files where feed = 'oneroster/orgs' "
        f"and delivery_name = '{delivery}'"
    )
    return str(found)


def cycles(project: Project) -> list[tuple[int, str, str]]:
    return project.ledger(
        "select cycle_id, status, cutoff_at::varchar from landing.cycles order by cycle_id"
    )


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Done]:
    """Let the second cycle fail for the value of one record, which a model cannot take."""
    project = copy_of_the_project(tmp_path_factory.mktemp("way_out"))
    (project.project / "models" / "marts" / "core" / "own_number.sql").write_text(MODEL)
    project.deliver("2026-09-01T010000Z", orgs(""))
    first = project.cycle("2026-09-01T18:00:00Z")
    assert first.code == 0, first.out + first.err
    project.deliver(SECOND, orgs(BAD))
    done = project.run("cycle", "--inbox", str(project.inbox), now="2026-09-02T18:00:00Z")
    assert done.code == 4, done.out + done.err
    return project, done


def copied(project: Project, folder: Path) -> Project:
    """Copy home, inbox and project."""
    shutil.copytree(project.project, folder / "project")
    copy = project.copy(folder)
    assert copy.run("init").code == 0
    return copy


@pytest.mark.long
def test_the_file_that_a_failed_cycle_froze_is_refused(
    failed: tuple[Project, Done], tmp_path: Path
) -> None:
    project = copied(failed[0], tmp_path)
    refused = project.run("refuse", file_id(project, SECOND), "--reason", "it is broken")
    assert refused.code == 0, refused.err
    assert "never used" in refused.out
    again = project.run("refuse", file_id(project, SECOND), "--reason", "it is broken")
    assert (again.code, "already refused" in again.err) == (2, True)
    done = project.cycle("2026-09-02T19:00:00Z")
    assert done.code == 3, done.out + done.err
    assert cycles(project) == [
        (1, "completed", "2026-09-01 18:00:00"),
        (2, "completed", "2026-09-02 18:00:00"),
    ]
    assert active(project) == ["d1", "s1"]
    assert project.run("verify").code == 0
    replayed = project.run("verify", "--replay", "--json")
    assert replayed.code == 0, replayed.out


@pytest.mark.long
def test_what_failed_and_the_way_out_are_said(failed: tuple[Project, Done]) -> None:
    """The record at fault, the file, and the commands; never the value."""
    project, done = failed
    status = project.run("status")
    for said in (done.out, status.out):
        words = " ".join(said.split())
        assert f"Look at sis/{SECOND}/orgs.csv, line 4." in words
        assert f"rollcall refuse {file_id(project, SECOND)} --reason" in words
        for command in ("cycle --skip-failed", "land --supersede", "rollcall cycle` again"):
            assert command in words
        assert "12x" not in said


@pytest.mark.long
def test_a_mended_delivery_for_the_same_time_takes_the_place_of_the_bad_one(
    failed: tuple[Project, Done], tmp_path: Path
) -> None:
    project = copied(failed[0], tmp_path)
    project.deliver(SECOND + "_mended", orgs(MENDED))
    name = f"sis/{SECOND}_mended"
    landed = project.land("--supersede", name, "--reason", "mended", now="2026-09-02T19:00:00Z")
    assert landed.code == 0, landed.out + landed.err
    done = project.cycle("2026-09-02T19:30:00Z")
    assert done.code == 0, done.out + done.err
    assert [cycle[:2] for cycle in cycles(project)] == [(1, "completed"), (2, "completed")]
    assert active(project) == ["d1", "s1", "s2"]
    assert project.run("verify").code == 0


LINKS = "models/intermediate/identity/int_student_links.sql"
TRIPPED = """
where
    cast(case source_student_key when 'map:district:district:666' then '12x' end as integer) is null
"""


def results_of(*students: str) -> dict[str, str | bytes]:
    rows = [NEW | {"StudentID": student} for student in students]
    return {"AssessmentResults.csv": as_csv(RESULTS, "143", rows)}


@pytest.fixture(scope="module")
def unlinked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Done]:
    """Let the second cycle fail where students are linked, before the file at fault is judged."""
    project = copy_of_the_project(tmp_path_factory.mktemp("unlinked"))
    declare(project, {"map": ("nwea", "bulk")})
    ids = "map,nwea/assessment_results,StudentID,district,district,1,,,\n"
    project.add("rules/identity_columns.csv", ids)
    project.add("contracts/limits.csv", "map,max_unlinked_percent,100,All of them may wait\n")
    links = project.project / LINKS
    links.write_text(links.read_text() + TRIPPED.lstrip())
    (project.inbox / "lms").rmdir()
    project.deliver("2026-09-01T010000Z", orgs(""))
    project.deliver("2026-09-01T010000Z", results_of("100", "101"), source="map")
    first = project.cycle("2026-09-01T18:00:00Z")
    assert first.code == 0, first.out + first.err
    project.deliver(SECOND, results_of("100", "666", "102"), source="map")
    done = project.run("cycle", "--inbox", str(project.inbox), now="2026-09-02T18:00:00Z")
    assert done.code == 4, done.out + done.err
    return project, done


@pytest.mark.long
@pytest.mark.parametrize(
    ("way", "students"), [("refuse", ["100", "101"]), ("supersede", ["100", "102"])]
)
def test_a_cycle_that_cannot_link_students_names_the_record_and_has_a_way_out(
    unlinked: tuple[Project, Done], tmp_path: Path, way: str, students: list[str]
) -> None:
    """Students are of no one record: what they are made of is searched."""
    words = " ".join(unlinked[1].out.split())
    assert f"Look at map/{SECOND}/AssessmentResults.csv, line 3." in words, words
    project = copied(unlinked[0], tmp_path)
    reason = ("--reason", "there is no such student")
    if way == "refuse":
        decided = project.run("refuse", f"map/{SECOND}/AssessmentResults.csv", *reason)
    else:
        name = f"{SECOND}_mended"
        project.deliver(name, results_of(*students), source="map")
        supersede = ("--supersede", f"map/{name}", *reason)
        decided = project.land(*supersede, now="2026-09-02T19:00:00Z")
    assert decided.code == 0, decided.out + decided.err
    done = project.cycle("2026-09-02T20:00:00Z")
    assert done.code in (0, 3), done.out + done.err
    assert [cycle[:2] for cycle in cycles(project)] == [(1, "completed"), (2, "completed")]
    assert project.warehouse(
        "select distinct split_part(source_student_key, ':', 4) from core.fct_assessment_result "
        "where is_active order by all"
    ) == [(student,) for student in students]
    assert project.run("verify").code == 0

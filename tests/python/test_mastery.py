"""Stories about mastery, told night by night through the real command."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import ROLLCALL, District, Project, failed, in_place_of_this, state
from mastery_district import Story, project_with_seeds
from stories import Scene, Telling, told_together

RULES = (
    "rule_id,rule_version,scope,scope_id,method,weight_percent,needed_count,threshold_percent,"
    "minimum_evidence,maximum_age_days,rounding_digits,can_be_lost,effective_from,effective_to,note\n"
)
PATHS = (
    "path_id,path_version,course_id,step_number,objective_id,is_optional,prerequisites,"
    "prerequisite_rule,effective_from,effective_to,note\n"
)
NEWEST = "newest,1,district,,latest,,,70,1,,2,true,2000-01-01,,\n"


def a_class(course: str = "", rules: str = "", paths: str = "") -> Callable[[Scene], Story]:
    """Begin with the roster and the gradebook of a class; rules and paths are of its course."""

    def begin(scene: Scene) -> Story:
        scene.declare()
        scene.add("rules/mastery_rules.csv", rules)
        scene.add("rules/learning_paths.csv", paths)
        own_course = course or f"course_{scene.roster_source}"
        sources = (scene.roster_source, scene.gradebook)
        return Story(scene.district, scene.district.project, *sources, own_course)

    return begin


def rows_of(test: str, district: District) -> list[tuple[Any, ...]]:
    """Return what a singular test finds in the newest cycle, by the statement that dbt compiled."""
    [compiled] = district.home.rglob(f"compiled/**/{test}.sql")
    return district.warehouse(compiled.read_text("utf-8").replace('"building".', ""))


@pytest.mark.more
def test_what_happens_at_23_59_and_what_does_not_come_are_said_until_an_export_brings_them(
    district: District, tmp_path: Path
) -> None:
    path = PATHS + (
        "p,1,algebra,1,algebra,false,,,2000-01-01,,\n"
        "p,1,algebra,2,algbera,false,1,all,2000-01-01,,\n"
        "elsewhere,1,latin,1,LATIN.1,false,,,2000-01-01,,\n"
    )
    seeds = {"learning_paths.csv": path, "mastery_rules.csv": RULES + NEWEST}
    story = Story(district, project_with_seeds(tmp_path / "project", seeds))
    story.roster(1)
    story.work(1, ("r1", "ann", 40, "01"), hour="235500")
    story.cycle(2, "02:00:00", code=0)
    # four minutes after the export Ann completes her work; the next export brings it
    first = story.mastery("state, evidence_until::text, as_of::text, is_provisional, missing_feeds")
    assert first == [("not_mastered", "2026-09-01 23:55:00", "2026-09-02 02:00:00", False, [])]
    story.roster(2)
    story.work(2, ("r2", "ann", 95, "01"), hour="235500")
    story.cycle(3, "02:00:00", code=0)
    second = story.mastery(
        "state, evidence_until::text, as_of::text, since::text, evidence_visible_at::text"
    )
    third = "2026-09-03 02:00:00"
    assert second == [("mastered", "2026-09-02 23:55:00", third, third, third)]
    # it happened on the first, and history does not pretend that anyone knew
    assert story.mastery("last_evidence_at::text") == [("2026-09-02 05:00:00",)]
    history = district.warehouse(
        "select state, valid_from::text, valid_to::text from progression.fct_mastery_history "
        "order by valid_from"
    )
    assert history == [
        ("not_mastered", "2026-09-02 02:00:00", third),
        ("mastered", third, None),
    ]

    # the gradebook does not come: what it said last stands, and says that it may be outdated
    columns = "state, is_provisional, missing_feeds, evidence_until::text, as_of::text, since::text"
    gates = "select gate, is_provisional, missing_feeds from progression.fct_progression order by 1"
    story.roster(4)
    story.cycle(4, code=3)
    missing = ["lms oneroster/results"]
    fourth = "2026-09-04 18:00:00"
    assert story.mastery(columns) == [
        ("mastered", True, missing, "2026-09-02 23:55:00", fourth, third)
    ]
    assert district.warehouse(gates) == [("available", True, missing), ("completed", True, missing)]
    assert story.checkpoints() == []
    # the next export heals it
    story.roster(5)
    story.work(5, ("r3", "ann", 10, "03"))
    story.cycle(5, code=0)
    fifth = "2026-09-05 18:00:00"
    assert story.mastery(columns) == [
        ("not_mastered", False, [], "2026-09-05 16:00:00", fifth, fifth)
    ]
    assert district.warehouse(gates) == [("available", False, []), ("locked", False, [])]
    # a rule that is edited at noon is in force with the next run, which nothing else calls for
    rules = story.project / "seeds" / "rules" / "mastery_rules.csv"
    rules.write_text(RULES + NEWEST.replace(",70,", ",5,"), encoding="utf-8")
    parsed = (district.home / "target" / "partial_parse.msgpack").stat().st_mtime_ns
    with in_place_of_this(story.project):
        status = district.run("status").out
    environment = {"ROLLCALL_HOME": str(district.home), "ROLLCALL_PROJECT": str(story.project)}
    said = subprocess.run(  # in a process that has not run dbt before
        [ROLLCALL, "cycle", "--inbox", district.inbox, "--no-report"],
        env=os.environ | environment | {"ROLLCALL_NOW": "2026-09-05T20:00:00Z"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for text in (status, said):
        assert "seeds/rules/mastery_rules.csv." in text
    # dbt reads a seed anew and parses nothing again; what it compares with `--state` knows the seed
    assert (district.home / "target" / "partial_parse.msgpack").stat().st_mtime_ns == parsed
    manifest = json.loads((district.home / "state" / "manifest.json").read_text(encoding="utf-8"))
    known = manifest["nodes"]["seed.rollcall.mastery_rules"]["checksum"]["checksum"]
    assert known == hashlib.sha256(rules.read_bytes().strip()).hexdigest()
    assert story.mastery("state, threshold_percent::int") == [("mastered", 5)]
    assert {reason for *_, reason in story.checkpoints()} == {"rule newest version 1"}
    # of a path that nobody is enrolled on the course is named once; of others, every unknown step
    assert sorted(remedy for *_, remedy in rows_of("rules_name_what_exists", district)) == [
        "seeds/rules/learning_paths.csv, path elsewhere, on which nobody is enrolled: "
        "no export knows the course latin.",
        "seeds/rules/learning_paths.csv, path p step 2: no export knows the objective algbera.",
    ]


@told_together(
    a_class(
        "fractions",
        paths="enrolled,1,fractions,1,fractions,false,,,2000-01-01,,\n"
        "enrolled,1,fractions,2,geometry,false,1,all,2000-01-01,,\n",
    )
)
def test_enrollment_completion_and_override_count_from_the_cycle_that_first_sees_them(
    story: Story,
) -> Telling:
    district = story.district
    gates = (
        "select student_id, step_number, gate, blocked_by, since::text "
        "from progression.fct_progression "
        f"where roster_source_id = '{story.roster_source}' order by 1, 2"
    )
    story.roster(1, students=())
    yield 1
    assert district.warehouse(gates) == []
    story.roster(2)
    yield 2
    since = "2026-09-02 18:00:00"
    assert district.warehouse(gates) == [
        ("ann", 1, "available", [], since),
        ("ann", 2, "locked", ["fractions"], since),
    ]
    story.work(3, ("r1", "ann", 90, "02"))
    yield 3
    since = "2026-09-03 18:00:00"
    assert district.warehouse(gates) == [
        ("ann", 1, "completed", [], since),
        ("ann", 2, "available", [], since),
    ]
    story.override(4, "o1,ann,geometry,set,mastered,2026-09-03T10:00:00Z,tea,Shown on paper")
    yield 4
    assert district.warehouse(gates)[1] == ("ann", 2, "completed", [], "2026-09-04 18:00:00")
    assert story.mastery(
        "objective_id, state, is_override, override_effective_at::text, "
        "override_visible_at::text, since::text",
        "is_override",
    ) == [("geometry", "mastered", True, "2026-09-03 10:00:00", *["2026-09-04 18:00:00"] * 2)]
    changes = district.warehouse(
        "select cycle_id, step_number, before_value, after_value, reason "
        "from progression.fct_checkpoint where step = 'gated' "
        f"and roster_source_id = '{story.roster_source}' order by 1, 2"
    )
    assert changes == [
        (2, 1, None, "available", "enrolled on the path"),
        (2, 2, None, "locked", "enrolled on the path"),
        (3, 1, "available", "completed", "objective mastered"),
        (3, 2, "locked", "available", "prerequisites met"),
        (4, 2, "available", "completed", "objective mastered"),
    ]


@told_together(a_class())
def test_an_override_outranks_evidence_until_it_is_cleared(story: Story) -> Telling:
    course, lms = story.course, story.gradebook
    story.roster(1)
    story.work(1, ("r1", "ann", 20, "01"))
    story.override(
        1,
        f"o1,ann,{course},set,mastered,2026-09-01T10:00:00Z,tea,Shown on paper",
        f"o2,nobody,{course},set,mastered,2026-09-01T10:00:00Z,tea,Who is that",
        f"o3,ann,{course},set,expert,2026-09-01T11:00:00Z,tea,No such state",
        "o4,ann,magic,set,mastered,2026-09-01T12:00:00Z,other,Not her student",
    )
    yield 1
    columns = "objective_id, state, automatic_state, is_override, override_reason"
    assert story.mastery(columns, f"objective_id = '{course}'") == [
        (course, "mastered", "not_mastered", True, "Shown on paper")
    ]
    findings = (
        "select override_id, is_current, findings from audit.audit_override "
        f"where source_id = '{lms}' order by 1"
    )
    assert story.district.warehouse(findings) == [
        ("o1", True, []),
        ("o2", False, ["unknown_student"]),
        ("o4", True, ["does_not_teach_the_student", "unknown_objective"]),
    ]
    assert story.district.warehouse(
        "select record_key, line_number, column_name, code from audit.audit_rejected_record "
        f"where source_id = '{lms}'"
    ) == [("o3", 4, "state", "VALUE_NOT_ALLOWED")]
    story.work(2, ("r2", "ann", 10, "02"))
    yield 2
    assert story.mastery("state, evidence_count", f"objective_id = '{course}'") == [("mastered", 2)]
    story.override(3, f"o5,ann,{course},clear,,2026-09-03T10:00:00Z,tea,Let it count again")
    yield 3
    assert story.mastery(columns, f"objective_id = '{course}'") == [
        (course, "not_mastered", "not_mastered", False, "Let it count again")
    ]
    assert story.checkpoints() == [
        ("overridden", "is_completed", "true", "false", "override o5 cleared"),
        ("overridden", "override_action", "set", "clear", "override o5 cleared"),
        ("overridden", "state", "mastered", "not_mastered", "override o5 cleared"),
    ]


@told_together(
    a_class("decimals", rules="decimals,1,course,decimals,latest,,,70,1,,2,true,2000-01-01,,\n")
)
def test_older_information_never_undoes_newer_and_withdrawal_shows(
    story: Story,
) -> Telling:
    story.roster(1)
    story.work(2, ("new", "ann", 90, "02"), ("other", "ann", None, "02"))
    yield 2
    assert story.mastery("state, score_percent::double, evidence_count, ignored_count") == [
        ("mastered", 90.0, 1, 1)
    ]
    # an attempt of the day before arrives late, and takes its place before the newer one
    story.work(3, ("late", "ann", 30, "01"))
    yield 3
    assert story.mastery("state, score_percent::double, evidence_count") == [("mastered", 90.0, 2)]
    # an old state of the newest attempt is exported again, late: it is superseded already
    story.work(1, ("new", "ann", 10, "02"))
    yield 4
    assert story.mastery("state, score_percent::double") == [("mastered", 90.0)]
    # a correction of the newest attempt counts
    story.work(5, ("new", "ann", 60, "02"))
    yield 5
    assert story.mastery("state, score_percent::double") == [("not_mastered", 60.0)]
    assert story.checkpoints()[0] == (
        "scored",
        "score_percent",
        "90.0000",
        "60.0000",
        "evidence corrected",
    )
    # the source withdraws it: the attempt before counts again
    story.work(6, ("new", "ann", 60, "02"), new="tobedeleted")
    yield 6
    assert story.mastery("state, score_percent::double, evidence_count, withdrawn_count") == [
        ("not_mastered", 30.0, 1, 1)
    ]
    assert story.checkpoints()[:2] == [
        ("scored", "evidence_count", "2", "1", "evidence withdrawn"),
        ("scored", "score_percent", "60.0000", "30.0000", "evidence withdrawn"),
    ]
    dispositions = (
        "select disposition, evidence_count from audit.audit_evidence "
        f"where source_id = '{story.gradebook}' order by all"
    )
    assert story.district.warehouse(dispositions) == [
        ("exempt", 1), ("superseded", 3), ("usable", 1), ("withdrawn", 1),
    ]  # fmt: skip


@told_together(
    a_class(
        "angles",
        rules="angles,1,course,angles,latest,,,70,1,,2,true,2000-01-01,2026-09-02,\n"
        "angles,2,course,angles,latest,,,95,1,,2,true,2026-09-02,,Stricter\n",
    )
)
def test_a_new_rule_changes_the_future_and_the_first_step_that_differs_is_named(
    story: Story,
) -> Telling:
    story.roster(1)
    story.work(1, ("r1", "ann", 90, "01"))
    yield 1
    assert story.mastery("state, rule_id, rule_version, threshold_percent::double") == [
        ("mastered", "angles", 1, 70.0)
    ]
    story.roster(2)
    yield 2
    assert story.mastery("state, rule_id, rule_version, threshold_percent::double") == [
        ("not_mastered", "angles", 2, 95.0)
    ]
    reason = "rule angles version 2"
    assert story.checkpoints() == [
        ("graded", "automatic_state", "mastered", "not_mastered", reason),
        ("graded", "threshold_percent", "70.0000", "95.0000", reason),
        ("overridden", "is_completed", "true", "false", reason),
        ("overridden", "state", "mastered", "not_mastered", reason),
    ]
    assert story.district.warehouse(
        "select state, threshold_percent::double from progression.fct_mastery_history "
        f"where roster_source_id = '{story.roster_source}' order by valid_from"
    ) == [("mastered", 70.0), ("not_mastered", 95.0)]


@told_together(
    a_class("primes", rules="primes,1,course,primes,latest,,,70,1,3,2,true,2000-01-01,,\n")
)
def test_evidence_grows_old_without_a_new_file_about_it(story: Story) -> Telling:
    """What is three days old on the fifth counts no longer; on the night before it still does."""
    story.roster(1)
    story.work(1, ("r1", "ann", 90, "01"))
    yield 1
    assert story.mastery("state") == [("mastered",)]
    yield 4
    too_old = "select evidence_count from audit.audit_evidence where disposition = 'too_old'"
    assert story.mastery("state, expired_count") == [("mastered", 0)]
    assert story.district.warehouse(too_old) == [(0,)]
    story.roster(5)
    yield 5
    assert story.mastery("state, basis, expired_count") == [("not_evaluated", "no_evidence", 1)]
    assert story.district.warehouse(too_old) == [(1,)]
    assert story.checkpoints()[0] == ("scored", "evidence_count", "1", "0", "evidence too old")


@told_together(
    a_class(
        "graphs",
        paths="stays,1,graphs,1,graphs,false,,,2000-01-01,,\n"
        "stays,1,graphs,2,geometry,false,1,all,2000-01-01,,\n"
        "opens,1,graphs,1,graphs,false,,,2000-01-01,2026-09-02,\n"
        "opens,1,graphs,2,geometry,false,1,all,2000-01-01,2026-09-02,\n"
        "opens,2,graphs,1,graphs,false,,,2026-09-02,,\n"
        "opens,2,graphs,2,geometry,false,,,2026-09-02,,\n",
    )
)
def test_gates_follow_mastery_enrollment_and_the_version_of_the_path(
    story: Story,
) -> Telling:
    district = story.district
    story.roster(1, students=("ann", "ben", "cem", "eve"))
    story.work(1, ("a1", "ann", 90, "01"), ("b1", "ben", 10, "01"), ("e1", "eve", 10, "01"))
    yield 1
    # the teacher passes ben, cem leaves the class, dan comes, and of ann and eve there is no news
    story.roster(2, students=("ann", "ben", "dan", "eve"))
    story.override(2, "o1,ben,graphs,set,mastered,2026-09-02T10:00:00Z,tea,Shown at the board")
    yield 2
    gates = f"""
        select student_id, path_id, string_agg(gate, ' ' order by step_number)
        from progression.fct_progression where roster_source_id = '{story.roster_source}'
        group by all order by all
    """
    assert district.warehouse(gates) == [
        ("ann", "opens", "completed available"),
        ("ann", "stays", "completed available"),
        ("ben", "opens", "completed available"),
        ("ben", "stays", "completed available"),
        ("dan", "opens", "available available"),
        ("dan", "stays", "available locked"),
        ("eve", "opens", "available available"),
        ("eve", "stays", "available locked"),
    ]
    assert district.warehouse(f"""
        select student_id, string_agg(distinct reason, ', ' order by reason)
        from progression.fct_checkpoint
        where roster_source_id = '{story.roster_source}' and path_id = 'stays'
            and changed_at = timestamp '2026-09-02 18:00:00'
        group by all order by all
    """) == [
        ("ben", "objective mastered, prerequisites met"),
        ("cem", "no longer on the path"),
        ("dan", "enrolled on the path"),
    ]


BAD_RULES = (
    "r,1,objective,one,guess,,,70,1,,2,true,2000-01-01,,\n"
    "r,3,objective,three,latest,,,170,1,,2,true,2000-01-01,,\n"
    "newest,1,district,,latest,,,70,1,,2,true,2000-01-01,,\n"
    "second,1,district,,average,,,70,1,,2,true,2020-01-01,,\n"
)
BAD_PATHS = "p,1,c,1,a,false,2,all,2000-01-01,,\np,1,c,2,b,false,1,all,2000-01-01,,\n"


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Run a cycle with rules that cannot be; gives what it said."""
    folder = tmp_path_factory.mktemp("stopped")
    seeds = {"mastery_rules.csv": RULES + BAD_RULES, "learning_paths.csv": PATHS + BAD_PATHS}
    project = project_with_seeds(folder / "project", seeds)
    story = Story(District(folder / "home", folder / "inbox"), project)
    story.roster(1)
    return " ".join(story.cycle(1, code=4).split())


@pytest.mark.parametrize(
    "sentence",
    [
        "seeds/rules/mastery_rules.csv, rule r version 1: there is no method guess.",
        "mastery_rules.csv, rule r version 3: threshold_percent is above 0 and at most 100",
        "rule newest version 1: it still applies when rule second version 1 begins",
        "learning_paths.csv, path p version 1 step 1: it waits for itself.",
    ],
)
def test_a_bad_row_of_the_rules_stops_the_cycle_and_is_named(stopped: str, sentence: str) -> None:
    assert sentence in stopped


@told_together(a_class(), looks_at_all=True)
def test_incremental_equals_full_and_history_rewinds_but_never_goes_back(story: Story) -> Telling:
    """The tables of all stories are built again, in a copy of their home."""
    story.roster(1, students=("ann", "ben"))
    story.work(1, ("a1", "ann", 90, "01"), ("b1", "ben", 90, "01"))
    yield 1
    story.roster(2, students=("ann", "ben"))
    story.work(2, ("a2", "ann", 10, "02"))
    override = f"o1,ben,{story.course},set,not_mastered,2026-09-02T10:00:00Z,tea,Copied"
    story.override(2, override)
    yield 2
    assert isinstance(story.district, Project)
    again = replace(story.district, home=story.district.home.with_name("again"))
    shutil.copytree(story.district.home, again.home)
    published = state(again.home)
    building = again.home / "building.duckdb"
    building.write_bytes((again.home / "warehouse.duckdb").read_bytes())
    build = ("build", "--exclude-resource-type", "unit_test")
    # the same cut-off again, with one row of history spoilt: it is recorded anew, exactly
    with duckdb.connect(str(building)) as connection:
        connection.execute(
            "update snapshots.snap_mastery set state = 'spoilt' "
            f"where dbt_valid_to is null and roster_source_id = '{story.roster_source}'"
        )
    for more in ((), ("--full-refresh",)):
        assert not failed(again.dbt(*build, *more))
        assert state(again.home, building.name) == published
    # a cut-off that moves backwards is rejected
    with duckdb.connect(str(building)) as connection:
        connection.execute(
            "update snapshots.snap_mastery set dbt_valid_from = timestamp '2026-09-03' "
            "where dbt_valid_to is null"
        )
    [said, *_] = failed(again.dbt("snapshot"))
    assert "History only goes forward" in said

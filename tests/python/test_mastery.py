"""Stories about mastery, told night by night through the real command."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import District, state
from mastery_district import Story, project_with_seeds

RULES = (
    "rule_id,rule_version,scope,scope_id,method,weight_percent,needed_count,threshold_percent,"
    "minimum_evidence,maximum_age_days,rounding_digits,can_be_lost,effective_from,effective_to,note\n"
)
PATHS = (
    "path_id,path_version,course_id,step_number,objective_id,is_optional,prerequisites,"
    "prerequisite_rule,effective_from,effective_to,note\n"
)
NEWEST = "newest,1,district,,latest,,,70,1,,2,true,2000-01-01,,\n"


def rows_of(test: str, district: District) -> list[tuple[Any, ...]]:
    """Return what a singular test finds in the newest cycle, by the statement that dbt compiled."""
    [compiled] = district.home.rglob(f"compiled/**/{test}.sql")
    return district.warehouse(compiled.read_text("utf-8").replace('"building".', ""))


@pytest.fixture
def story(district: District) -> Story:
    """Give a district without a night."""
    return Story(district)


def test_what_happens_at_23_59_is_seen_when_it_is_exported_and_both_say_so(story: Story) -> None:
    story.roster(1)
    story.work(1, ("r1", "ann", 40, "01"), hour="235500")
    story.cycle(2, "02:00:00")
    # four minutes after the export Ann completes her work; the next export brings it
    first = story.mastery("state, last_evidence_at::date, evidence_until::text, as_of::text")
    assert [row[0] for row in first] == ["not_mastered"]
    assert first[0][2:] == ("2026-09-01 23:55:00", "2026-09-02 02:00:00")
    story.work(2, ("r2", "ann", 95, "01"), hour="235500")
    story.cycle(3, "02:00:00")
    second = story.mastery(
        "state, evidence_until::text, as_of::text, since::text, evidence_visible_at::text"
    )
    assert second == [("mastered", "2026-09-02 23:55:00", *["2026-09-03 02:00:00"] * 3)]
    # it happened on the first, and history does not pretend that anyone knew
    assert story.mastery("last_evidence_at::text") == [("2026-09-02 05:00:00",)]
    history = story.district.warehouse(
        "select state, valid_from::text, valid_to::text from progression.fct_mastery_history "
        "order by valid_from"
    )
    assert history == [
        ("not_mastered", "2026-09-02 02:00:00", "2026-09-03 02:00:00"),
        ("mastered", "2026-09-03 02:00:00", None),
    ]


def test_enrollment_completion_and_override_count_from_the_cycle_that_first_sees_them(
    district: District, tmp_path: Path
) -> None:
    path = PATHS + (
        "p,1,algebra,1,algebra,false,,,2000-01-01,,\np,1,algebra,2,geometry,false,1,all,2000-01-01,,\n"
    )
    project = project_with_seeds(tmp_path / "project", {"learning_paths.csv": path})
    story = Story(district, project)
    gates = (
        "select student_id, step_number, gate, blocked_by, since::text "
        "from progression.fct_progression order by 1, 2"
    )
    story.roster(1, students=())
    story.cycle(1)
    assert district.warehouse(gates) == []
    story.roster(2)
    story.cycle(2)
    since = "2026-09-02 18:00:00"
    assert district.warehouse(gates) == [
        ("ann", 1, "available", [], since),
        ("ann", 2, "locked", ["algebra"], since),
    ]
    story.work(3, ("r1", "ann", 90, "02"))
    story.cycle(3)
    since = "2026-09-03 18:00:00"
    assert district.warehouse(gates) == [
        ("ann", 1, "completed", [], since),
        ("ann", 2, "available", [], since),
    ]
    story.override(4, "o1,ann,geometry,set,mastered,2026-09-03T10:00:00Z,tea,Shown on paper")
    story.cycle(4)
    assert district.warehouse(gates)[1] == ("ann", 2, "completed", [], "2026-09-04 18:00:00")
    assert story.mastery(
        "objective_id, state, is_override, override_effective_at::text, "
        "override_visible_at::text, since::text",
        "is_override",
    ) == [("geometry", "mastered", True, "2026-09-03 10:00:00", *["2026-09-04 18:00:00"] * 2)]
    changes = district.warehouse(
        "select cycle_id, step_number, before_value, after_value, reason "
        "from progression.fct_checkpoint where step = 'gated' order by 1, 2"
    )
    assert changes == [
        (2, 1, None, "available", "enrolled on the path"),
        (2, 2, None, "locked", "enrolled on the path"),
        (3, 1, "available", "completed", "objective mastered"),
        (3, 2, "locked", "available", "prerequisites met"),
        (4, 2, "available", "completed", "objective mastered"),
    ]


def test_what_was_due_and_is_missing_makes_outcomes_provisional_until_the_next_export(
    district: District, tmp_path: Path
) -> None:
    path = PATHS + (
        "p,1,algebra,1,algebra,false,,,2000-01-01,,\n"
        "p,1,algebra,2,algbera,false,1,all,2000-01-01,,\n"
        "elsewhere,1,latin,1,LATIN.1,false,,,2000-01-01,,\n"
    )
    seeds = {"learning_paths.csv": path, "mastery_rules.csv": RULES + NEWEST}
    project = project_with_seeds(tmp_path / "project", seeds)
    story = Story(district, project)
    columns = "state, is_provisional, missing_feeds, evidence_until::text, as_of::text, since::text"
    gates = "select gate, is_provisional, missing_feeds from progression.fct_progression order by 1"
    story.roster(1)
    story.work(1, ("r1", "ann", 90, "01"))
    story.cycle(1, code=0)
    first = "2026-09-01 18:00:00"
    assert story.mastery(columns) == [("mastered", False, [], "2026-09-01 16:00:00", first, first)]
    # the gradebook does not come: what it said last stands, and says that it may be outdated
    story.roster(2)
    story.cycle(2, code=3)
    missing = ["lms oneroster/results"]
    assert story.mastery(columns) == [
        ("mastered", True, missing, "2026-09-01 16:00:00", "2026-09-02 18:00:00", first)
    ]
    assert district.warehouse(gates) == [("available", True, missing), ("completed", True, missing)]
    assert story.checkpoints(2) == []
    # the next export heals it
    story.roster(3)
    story.work(3, ("r2", "ann", 10, "02"))
    story.cycle(3, code=0)
    third = "2026-09-03 18:00:00"
    assert story.mastery(columns) == [
        ("not_mastered", False, [], "2026-09-03 16:00:00", third, third)
    ]
    assert district.warehouse(gates) == [("available", False, []), ("locked", False, [])]
    # of a path that nobody is enrolled on the course is named once; of others, every unknown step
    assert sorted(remedy for *_, remedy in rows_of("rules_name_what_exists", district)) == [
        "seeds/rules/learning_paths.csv, path elsewhere, on which nobody is enrolled: "
        "no export knows the course latin.",
        "seeds/rules/learning_paths.csv, path p step 2: no export knows the objective algbera.",
    ]


def test_an_override_outranks_evidence_until_it_is_cleared(story: Story) -> None:
    story.roster(1)
    story.work(1, ("r1", "ann", 20, "01"))
    story.override(
        1,
        "o1,ann,algebra,set,mastered,2026-09-01T10:00:00Z,tea,Shown on paper",
        "o2,nobody,algebra,set,mastered,2026-09-01T10:00:00Z,tea,Who is that",
        "o3,ann,algebra,set,expert,2026-09-01T11:00:00Z,tea,No such state",
        "o4,ann,magic,set,mastered,2026-09-01T12:00:00Z,other,Not her student",
    )
    story.cycle(1)
    columns = "objective_id, state, automatic_state, is_override, override_reason"
    assert story.mastery(columns, "objective_id = 'algebra'") == [
        ("algebra", "mastered", "not_mastered", True, "Shown on paper")
    ]
    findings = "select override_id, is_current, findings from audit.audit_override order by 1"
    assert story.district.warehouse(findings) == [
        ("o1", True, []),
        ("o2", False, ["unknown_student"]),
        ("o4", True, ["does_not_teach_the_student", "unknown_objective"]),
    ]
    assert story.district.warehouse(
        "select record_key, line_number, column_name, code from audit.audit_rejected_record"
    ) == [("o3", 4, "state", "VALUE_NOT_ALLOWED")]
    story.work(2, ("r2", "ann", 10, "02"))
    story.cycle(2)
    assert story.mastery("state, evidence_count", "objective_id = 'algebra'") == [("mastered", 2)]
    story.override(3, "o5,ann,algebra,clear,,2026-09-03T10:00:00Z,tea,Let it count again")
    story.cycle(3)
    assert story.mastery(columns, "objective_id = 'algebra'") == [
        ("algebra", "not_mastered", "not_mastered", False, "Let it count again")
    ]
    assert story.checkpoints(3) == [
        ("overridden", "is_completed", "true", "false", "override o5 cleared"),
        ("overridden", "override_action", "set", "clear", "override o5 cleared"),
        ("overridden", "state", "mastered", "not_mastered", "override o5 cleared"),
    ]


def test_older_information_never_undoes_newer_and_withdrawal_shows(
    district: District, tmp_path: Path
) -> None:
    project = project_with_seeds(tmp_path / "project", {"mastery_rules.csv": RULES + NEWEST})
    story = Story(district, project)
    story.roster(1)
    story.work(5, ("new", "ann", 90, "05"), ("other", "ann", None, "05"))
    story.cycle(5)
    assert story.mastery("state, score_percent::double, evidence_count, ignored_count") == [
        ("mastered", 90.0, 1, 1)
    ]
    # an attempt of the day before arrives late, and takes its place before the newer one
    story.work(6, ("late", "ann", 30, "04"))
    story.cycle(6)
    assert story.mastery("state, score_percent::double, evidence_count") == [("mastered", 90.0, 2)]
    # an old state of the newest attempt is exported again, late: it is superseded already
    story.work(4, ("new", "ann", 10, "05"))
    story.cycle(7)
    assert story.mastery("state, score_percent::double") == [("mastered", 90.0)]
    # a correction of the newest attempt counts
    story.work(8, ("new", "ann", 60, "05"))
    story.cycle(8)
    assert story.mastery("state, score_percent::double") == [("not_mastered", 60.0)]
    assert story.checkpoints(4)[0] == (
        "scored",
        "score_percent",
        "90.0000",
        "60.0000",
        "evidence corrected",
    )
    # the source withdraws it: the attempt before counts again
    story.work(9, ("new", "ann", 60, "05"), new="tobedeleted")
    story.cycle(9)
    assert story.mastery("state, score_percent::double, evidence_count, withdrawn_count") == [
        ("not_mastered", 30.0, 1, 1)
    ]
    assert story.checkpoints(5)[:2] == [
        ("scored", "evidence_count", "2", "1", "evidence withdrawn"),
        ("scored", "score_percent", "60.0000", "30.0000", "evidence withdrawn"),
    ]
    dispositions = "select disposition, evidence_count from audit.audit_evidence order by all"
    assert district.warehouse(dispositions) == [
        ("exempt", 1), ("superseded", 3), ("too_old", 0), ("usable", 1), ("withdrawn", 1),
    ]  # fmt: skip


def test_a_new_rule_changes_the_future_and_the_first_step_that_differs_is_named(
    district: District, tmp_path: Path
) -> None:
    strict = "newest,1,district,,latest,,,70,1,,2,true,2000-01-01,2026-09-02,\n"
    strict += "newest,2,district,,latest,,,95,1,,2,true,2026-09-02,,Stricter\n"
    project = project_with_seeds(tmp_path / "project", {"mastery_rules.csv": RULES + strict})
    story = Story(district, project)
    story.roster(1)
    story.work(1, ("r1", "ann", 90, "01"))
    story.cycle(1)
    assert story.mastery("state, rule_id, rule_version, threshold_percent::double") == [
        ("mastered", "newest", 1, 70.0)
    ]
    story.roster(2)
    story.cycle(2)
    assert story.mastery("state, rule_id, rule_version, threshold_percent::double") == [
        ("not_mastered", "newest", 2, 95.0)
    ]
    reason = "rule newest version 2"
    assert story.checkpoints(2) == [
        ("graded", "automatic_state", "mastered", "not_mastered", reason),
        ("graded", "threshold_percent", "70.0000", "95.0000", reason),
        ("overridden", "is_completed", "true", "false", reason),
        ("overridden", "state", "mastered", "not_mastered", reason),
    ]
    assert district.warehouse(
        "select state, threshold_percent::double from progression.fct_mastery_history "
        "order by valid_from"
    ) == [("mastered", 70.0), ("not_mastered", 95.0)]


def test_evidence_grows_old_without_a_new_file_about_it(
    district: District, tmp_path: Path, dbt: Callable[..., str]
) -> None:
    aging = RULES + "newest,1,district,,latest,,,70,1,3,2,true,2000-01-01,,\n"
    project = project_with_seeds(tmp_path / "project", {"mastery_rules.csv": aging})
    story = Story(district, project)
    story.roster(1)
    story.work(1, ("r1", "ann", 90, "01"))
    story.cycle(1)
    assert story.mastery("state") == [("mastered",)]
    story.roster(6)
    story.cycle(6)
    assert story.mastery("state, basis, expired_count") == [("not_evaluated", "no_evidence", 1)]
    assert story.checkpoints(2)[0] == ("scored", "evidence_count", "1", "0", "evidence too old")


def test_gates_follow_mastery_enrollment_and_the_version_of_the_path(
    district: District, tmp_path: Path
) -> None:
    steps = PATHS + "stays,1,algebra,1,algebra,false,,,2000-01-01,,\n"
    steps += "stays,1,algebra,2,geometry,false,1,all,2000-01-01,,\n"
    steps += "opens,1,algebra,1,algebra,false,,,2000-01-01,2026-09-02,\n"
    steps += "opens,1,algebra,2,geometry,false,1,all,2000-01-01,2026-09-02,\n"
    steps += "opens,2,algebra,1,algebra,false,,,2026-09-02,,\n"
    steps += "opens,2,algebra,2,geometry,false,,,2026-09-02,,\n"
    project = project_with_seeds(tmp_path / "project", {"learning_paths.csv": steps})
    story = Story(district, project)
    story.roster(1, students=("ann", "ben", "cem", "eve"))
    story.work(1, ("a1", "ann", 90, "01"), ("b1", "ben", 10, "01"), ("e1", "eve", 10, "01"))
    story.cycle(1)
    # the teacher passes ben, cem leaves the class, dan comes, and of ann and eve there is no news
    story.roster(2, students=("ann", "ben", "dan", "eve"))
    story.override(2, "o1,ben,algebra,set,mastered,2026-09-02T10:00:00Z,tea,Shown at the board")
    story.cycle(2)
    gates = """
        select student_id, path_id, string_agg(gate, ' ' order by step_number)
        from progression.fct_progression group by all order by all
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
    assert district.warehouse("""
        select student_id, string_agg(distinct reason, ', ' order by reason)
        from progression.fct_checkpoint
        where path_id = 'stays' and changed_at = timestamp '2026-09-02 18:00:00'
        group by all order by all
    """) == [
        ("ben", "objective mastered, prerequisites met"),
        ("cem", "no longer on the path"),
        ("dan", "enrolled on the path"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (
            "mastery_rules.csv",
            RULES + "r,1,district,,guess,,,70,1,,2,true,2000-01-01,,\n",
            "seeds/rules/mastery_rules.csv, rule r version 1: there is no method guess.",
        ),
        (
            "mastery_rules.csv",
            RULES + "r,3,district,,latest,,,170,1,,2,true,2000-01-01,,\n",
            "mastery_rules.csv, rule r version 3: threshold_percent is above 0 and at most 100",
        ),
        (
            "mastery_rules.csv",
            RULES + NEWEST + "second,1,district,,average,,,70,1,,2,true,2020-01-01,,\n",
            "rule newest version 1: it is still in force when rule second version 1 begins",
        ),
        (
            "learning_paths.csv",
            PATHS + "p,1,c,1,a,false,2,all,2000-01-01,,\np,1,c,2,b,false,1,all,2000-01-01,,\n",
            "learning_paths.csv, path p version 1 step 1: it waits for itself.",
        ),
    ],
)
def test_a_bad_row_of_the_rules_stops_the_cycle_and_is_named(
    district: District, tmp_path: Path, name: str, content: str, sentence: str
) -> None:
    story = Story(district, project_with_seeds(tmp_path / "project", {name: content}))
    story.roster(1)
    said = " ".join(story.cycle(1, code=4).split())
    assert sentence in said


def test_incremental_equals_full_and_history_rewinds_but_never_goes_back(
    story: Story, dbt: Callable[..., str], tmp_path: Path
) -> None:
    home, target = story.district.home, tmp_path / "target"
    arguments = ("build", "--exclude-resource-type", "unit_test", "--target", "cycle")
    story.roster(1, students=("ann", "ben"))
    story.work(1, ("a1", "ann", 90, "01"), ("b1", "ben", 90, "01"))
    story.cycle(1)
    story.roster(2, students=("ann", "ben"))
    story.work(2, ("a2", "ann", 10, "02"))
    story.override(2, "o1,ben,algebra,set,not_mastered,2026-09-02T10:00:00Z,tea,Copied")
    story.cycle(2)
    published = state(home)
    building = home / "building.duckdb"
    building.write_bytes((home / "warehouse.duckdb").read_bytes())
    # the same cut-off again, with one row of history spoilt: it is recorded anew, exactly
    with duckdb.connect(str(building)) as connection:
        connection.execute(
            "update snapshots.snap_mastery set state = 'spoilt' where dbt_valid_to is null"
        )
    dbt(*arguments, home=home, target_path=target)
    assert state(home, building.name) == published
    dbt(*arguments, "--full-refresh", home=home, target_path=target)
    assert state(home, building.name) == published
    # a cut-off that moves backwards is rejected
    with duckdb.connect(str(building)) as connection:
        connection.execute(
            "update snapshots.snap_mastery set dbt_valid_from = timestamp '2026-09-03' "
            "where dbt_valid_to is null"
        )
    with pytest.raises(AssertionError, match="History only goes forward"):
        dbt("snapshot", "--target", "cycle", home=home, target_path=target)

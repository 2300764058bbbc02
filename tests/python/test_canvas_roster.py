"""A district without OneRoster: SIS CSV files of Canvas are its roster, and Canvas has its work.

One district tells all in two nights.
"""

import csv
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import pytest
from conftest import Project, copy_of_the_project, read_csv
from test_assessments import OUTCOMES, canvas_csv, of_canvas

pytestmark = pytest.mark.more

NAMES = {"1": "Doe, Jo", "2": "Roe, Al", "3": "Fox, Em", "4": "Poe, Li", "9": "Law, Ty"}
IDENTITY = """source_id,feed,column_name,assigner,id_kind,priority,normalise,is_trusted_alone,note
canvas,canvas/users,user_id,district,sis,1,,,
canvas,canvas/users,login_id,district,login,2,,,
canvas,canvas/outcome_results,student sis id,district,sis,1,,,
canvas,canvas/gradebook,SIS User ID,district,sis,1,,,
canvas,canvas/gradebook,SIS Login ID,district,login,2,,,
"""
ALIGNED = """source_id,aligned_kind,aligned_id,objective_id,note
canvas,assessment,Canvas outcome/310,RATIOS,
canvas,assessment,Canvas assignment/1202,POSTERS,
"""
STEPS = (
    {"path_id": "sixth", "path_version": "1", "course_id": "MATH-6", "step_number": "1"}
    | {"objective_id": "RATIOS", "is_optional": "false", "effective_from": "2000-01-01"},
    {"path_id": "sixth", "path_version": "1", "course_id": "MATH-6", "step_number": "2"}
    | {"objective_id": "POSTERS", "is_optional": "false", "effective_from": "2000-01-01"}
    | {"prerequisites": "1", "prerequisite_rule": "all"},
)


def as_lines(header: str, rows: Iterable[str]) -> bytes:
    """Write a file from lines."""
    return "\n".join((header, *rows, "")).encode()


def roster(*, is_later: bool) -> dict[str, bytes]:
    """Return who is where; later a student has left and another has finished."""
    users = [
        "STU-1,jdoe,Jo,Doe,active",
        "STU-2,aroe,Al,Roe,active",
        "STU-3,efox,Em,Fox,active",
        "STU-9,tlaw,Ty,Law,active",
        "TCH-1,tea,Tea,Cher,active",
    ]
    ended = "completed" if is_later else "active"
    enrollments = [
        "MATH-6,STU-1,student,SEC-1,active,",
        f"MATH-6,STU-2,student,SEC-1,{ended},",
        "MATH-6,STU-3,student,,active,2026-08-20T05:00:00Z",
        "MATH-6,STU-9,student,SEC-1,active,2026-09-20T05:00:00Z",
        ",TCH-1,teacher,SEC-1,active,",
        "MATH-6,STU-1,observer,SEC-9,active,",
    ]
    if is_later:
        users = [line for line in users if "STU-3" not in line]
        enrollments = [line for line in enrollments if "STU-3" not in line]
    return {
        "users.csv": as_lines("user_id,login_id,first_name,last_name,status", users),
        "courses.csv": as_lines(
            "course_id,short_name,long_name,account_id,status",
            ["MATH-6,M6,Mathematics 6,NORTH,active", "OLD,O,Old,NORTH,deleted"],
        ),
        "sections.csv": as_lines(
            "section_id,course_id,name,status",
            ["SEC-1,MATH-6,Math 6 - 1,active", "SEC-2,OLD,Old,deleted"],
        ),
        "enrollments.csv": as_lines(
            "course_id,user_id,role,section_id,status,start_date", enrollments
        ),
    }


def work(*, is_later: bool) -> dict[str, bytes]:
    """Return results: of another child under the id of a student, of a stranger, and of others."""
    results = [
        of_canvas(key, student_name=NAMES[key], outcome_score=score)
        for key, score in (("1", "3.6"), ("2", "1.0"), ("4", "4.0"), ("9", "4.0"))
    ]
    results.append(of_canvas("3", student_name="Oak, Bo", outcome_score="4.0"))
    if is_later:
        results[1] = of_canvas("2", student_name=NAMES["2"], outcome_score="3.8")
    gradebook = [
        "Student,ID,SIS User ID,SIS Login ID,Section,Poster (1202)",
        "    Points Possible,,,,,20.00",
        '"Doe, Jo",1,STU-1,jdoe,Math 6 - 1,18.50',
        '"Roe, Al",2,,aroe,Math 6 - 1,10.00',
        "",
    ]
    return {
        "outcome_results.csv": canvas_csv(OUTCOMES, "32", results),
        "Gradebook Math.csv": "\n".join(gradebook).encode(),
    }


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Project]:
    """Tell two nights; gives the district after each."""
    project = copy_of_the_project(tmp_path_factory.mktemp("canvas_roster"))
    seeds = project.project / "seeds"
    sources = seeds / "contracts" / "sources.csv"
    [sis] = [row for row in read_csv(sources) if row["source_id"] == "sis"]
    canvas = sis | {"source_id": "canvas", "roster_source_id": "canvas", "families": "canvas"}
    canvas |= {"default_mode": "bulk", "header_policy": "by_name"}
    canvas |= {"due_feeds": "canvas/users|canvas/enrollments"}
    sources.write_text(f"{','.join(canvas)}\n{','.join(canvas.values())}\n", encoding="utf-8")
    for name, text in {"identity_columns": IDENTITY, "objective_alignment": ALIGNED}.items():
        (seeds / "rules" / f"{name}.csv").write_text(text, encoding="utf-8")
    with (seeds / "rules" / "learning_paths.csv").open("r+", encoding="utf-8") as stream:
        names = next(csv.reader(stream))
        csv.DictWriter(stream, names, lineterminator="\n").writerows(STEPS)
    after = []
    for number in (1, 2):
        files = roster(is_later=number == 2) | work(is_later=number == 2)
        project.deliver(f"2026-09-0{number}T010000Z", files, source="canvas")
        done = project.cycle(f"2026-09-0{number}T18:00:00Z")
        assert done.code in (0, 3), done.out + done.err
        after.append(project.copy(tmp_path_factory.mktemp("night")))
    return after[0], project


def test_users_and_classes_of_canvas_are_those_of_the_district_each_once(
    told: tuple[Project, Project],
) -> None:
    assert told[0].warehouse(
        "select user_id, username, name, role, is_active, unresolved from core.dim_user "
        "order by all"
    ) == [
        ("STU-1", "jdoe", "Jo Doe", "student", True, []),
        ("STU-2", "aroe", "Al Roe", "student", True, []),
        ("STU-3", "efox", "Em Fox", "student", True, []),
        ("STU-9", "tlaw", "Ty Law", "student", True, []),
        ("TCH-1", "tea", "Tea Cher", "teacher", True, []),
    ]
    assert told[0].warehouse(
        "select course_key, name, org_id, inactive_reason, unresolved from core.dim_course "
        "order by all"
    ) == [
        ("canvas:MATH-6", "Mathematics 6", "NORTH", None, ["org_id"]),
        ("canvas:OLD", "Old", "NORTH", "deleted", ["org_id"]),
    ]
    assert told[0].warehouse(
        "select class_id, course_key, name, inactive_reason from core.dim_class order by all"
    ) == [
        ("MATH-6:default", "canvas:MATH-6", "Mathematics 6", None),
        ("SEC-1", "canvas:MATH-6", "Math 6 - 1", None),
        ("SEC-2", "canvas:OLD", "Old", "deleted"),
    ]


def test_an_enrollment_of_canvas_is_one_of_a_class(told: tuple[Project, Project]) -> None:
    enrollments = (
        "select class_id, user_id, role, student_key, begin_date, inactive_reason, unresolved "
        "from core.fct_enrollment order by all"
    )
    before = told[0].warehouse(enrollments)
    begun = (date(2026, 8, 20), date(2026, 9, 20))
    assert before == [
        ("MATH-6:default", "STU-3", "student", "canvas:STU-3", begun[0], None, []),
        ("SEC-1", "STU-1", "student", "canvas:STU-1", None, None, []),
        ("SEC-1", "STU-2", "student", "canvas:STU-2", None, None, []),
        ("SEC-1", "STU-9", "student", "canvas:STU-9", begun[1], None, []),
        ("SEC-1", "TCH-1", "teacher", None, None, None, []),
        ("SEC-9", "STU-1", "guardian", None, None, None, ["class_id"]),
    ]
    after = {(row[0], row[1]): row[5] for row in told[1].warehouse(enrollments)}
    assert after == {(row[0], row[1]): None for row in before} | {
        ("MATH-6:default", "STU-3"): "absent",
        ("SEC-1", "STU-2"): "completed",
    }
    gone = "select user_id, inactive_reason from core.dim_user where not is_active"
    assert told[1].warehouse(gone) == [("STU-3", "absent")]


def test_work_in_canvas_is_that_of_its_students_and_of_no_other_child(
    told: tuple[Project, Project],
) -> None:
    assert told[0].warehouse(
        "select id_value, outcome, student_key from core.dim_student_id "
        "where id_kind = 'sis' order by all"
    ) == [
        ("STU-1", "linked", "canvas:STU-1"),
        ("STU-2", "linked", "canvas:STU-2"),
        ("STU-3", "conflict", None),
        ("STU-4", "none", None),
        ("STU-9", "linked", "canvas:STU-9"),
    ]


def test_mastery_and_gates_follow_from_it(told: tuple[Project, Project]) -> None:
    """Who has finished a course is on its path no more; what was learned stays."""
    mastery = (
        "select student_id, objective_id, state, score_percent from progression.fct_mastery "
        "order by all"
    )
    [*others, ratios, stranger] = [
        ("STU-1", "POSTERS", "mastered", Decimal("92.5")),
        ("STU-1", "RATIOS", "mastered", Decimal(90)),
        ("STU-2", "POSTERS", "not_mastered", Decimal(50)),
        ("STU-2", "RATIOS", "not_mastered", Decimal(25)),
        ("STU-9", "RATIOS", "mastered", Decimal(100)),
    ]
    assert told[0].warehouse(mastery) == [*others, ratios, stranger]
    better = ("STU-2", "RATIOS", "mastered", Decimal(95))
    assert told[1].warehouse(mastery) == [*others, better, stranger]
    gates = "select student_id, step_number, gate from progression.fct_progression order by all"
    done = [("STU-1", 1, "completed"), ("STU-1", 2, "completed")]
    begun = [
        (student, *step)
        for student in ("STU-2", "STU-3")
        for step in ((1, "available"), (2, "locked"))
    ]
    assert told[0].warehouse(gates) == [*done, *begun]
    assert told[1].warehouse(gates) == done


def test_its_records_are_counted_up_to_students_who_were_enrolled(
    told: tuple[Project, Project],
) -> None:
    lost = (
        "select split_part(feed, '/', 2), step, reason, sum(lost_count)::int "
        "from reconciliation.recon_coverage where reason is not null group by all order by all"
    )
    assert told[0].warehouse(lost) == [
        ("gradebook", "accepted", "structural", 1),
        ("outcome_results", "enrolled", "not_enrolled", 1),
        ("outcome_results", "linked", "conflict", 1),
        ("outcome_results", "linked", "none", 1),
    ]
    reached = (
        "select split_part(feed, '/', 2), sum(record_count)::int "
        "from reconciliation.recon_coverage where step = 'enrolled' group by all order by all"
    )
    assert told[0].warehouse(reached) == [("gradebook", 2), ("outcome_results", 2)]


def test_exports_and_tables_hold_the_same(told: tuple[Project, Project]) -> None:
    """Rows of Canvas are none of OneRoster that no record made."""
    for project in told:
        for kind in ("missing_record", "unexpected_record", "diverging_value"):
            assert project.warehouse(f"from reconciliation.recon_{kind}") == []
        balance = "select is_balanced, count(*) from reconciliation.recon_file_balance group by all"
        [(is_balanced, _)] = project.warehouse(balance)
        assert is_balanced


@pytest.mark.parametrize(
    ("table", "key", "line"),
    [
        ("core.dim_user", "STU-1", "| STU-1,jdoe,Jo,Doe,active"),
        ("core.dim_class", "SEC-1", "| SEC-1,MATH-6,Math 6 - 1,active"),
        ("core.dim_class", "MATH-6:default", "| MATH-6,M6,Mathematics 6,NORTH,active"),
        (
            "core.fct_enrollment",
            "MATH-6 | STU-1 | student |  | SEC-1 | ",
            "| MATH-6,STU-1,student,SEC-1,active,",
        ),
    ],
)
def test_a_row_of_the_roster_is_traced_to_its_line(
    told: tuple[Project, Project], table: str, key: str, line: str
) -> None:
    done = told[1].run("trace", "--table", table, "--key", key)
    assert (done.code, line in done.out) == (0, True), done.err


def test_a_state_is_traced_to_the_line_of_canvas(told: tuple[Project, Project]) -> None:
    done = told[1].run("trace", "--student", "STU-1", "--objective", "RATIOS")
    assert "Student STU-1 of canvas, objective RATIOS: MASTERED" in done.out
    assert "outcome_results.csv, record 1, line 2" in done.out
    assert "exported until" not in done.out  # nobody exports results of OneRoster


def test_unit_tests_of_the_roster_pass(told: tuple[Project, Project]) -> None:
    """The family is disabled where unit tests run otherwise."""
    names = [
        "a_user_of_canvas_is_what_the_file_says_else_what_enrollments_say",
        "an_enrollment_of_canvas_ends_with_its_status_and_its_last_day",
    ]
    found = told[1].unit_tests(*names)
    assert [status for status, _ in found] == ["pass"] * len(names), found


@pytest.mark.long
def test_archive_and_ledger_give_every_table_again(told: tuple[Project, Project]) -> None:
    done = told[1].run("verify", "--replay", "--json", now="2026-09-03T18:00:00Z")
    assert (done.code, done.json["problems"]) == (0, [])

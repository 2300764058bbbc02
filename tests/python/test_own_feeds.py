"""Feeds that a district adds: one by hand as `docs/own_feeds.md` says, one as `docs/sources.md`."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from conftest import ODD_FOLDER, Project, read_csv
from mastery_district import Story, night

from rollcall.ledger.sql import record_key, record_key_of
from rollcall.new_project import write_project
from rollcall.project import PROJECT_DIR

pytestmark = pytest.mark.more

GUIDE = (PROJECT_DIR / "docs" / "own_feeds.md").read_text(encoding="utf-8")
SOURCES_GUIDE = (PROJECT_DIR / "docs" / "sources.md").read_text(encoding="utf-8")
PARTS, SOURCES_PARTS = (
    re.findall(r"^```\w+ (\S+)\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE)
    for guide in (GUIDE, SOURCES_GUIDE)
)
COMMANDS = re.findall(r"^ {4}((?:rollcall|dbt) .+)$", SOURCES_GUIDE, re.MULTILINE)
HEADER = "Student,Day,School,Code,Minutes\n"
STUDENTS = [f"s{number}" for number in range(8)]


def build_as_the_guide_says(project: Project) -> None:
    """Write each file of the guide."""
    for name, text in PARTS:
        path = project.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    sources = project.project / "seeds" / "contracts" / "sources.csv"
    [sis] = [row for row in read_csv(sources) if row["source_id"] == "sis"]
    own = {"source_id": "att", "families": "att", "due_feeds": "", "default_mode": "bulk"}
    with sources.open("a", encoding="utf-8") as stream:
        stream.write(",".join((sis | own).values()) + "\n")
    done = project.run("layouts", "compare")
    assert done.code == 0, done.out + done.err
    assert project.run("layouts", "compare", "--check").code == 0


STRANDS = 28
HEADER_OF_SKILLS = (
    *("Student_ID", "State_ID", "Last", "First", "DOB", "Grade", "Test", "ScaleScore", "Level"),
    *(f"Strand {number} Pct" for number in range(1, STRANDS + 1)),
    *("Upload Time", "Order", "Login"),
)


def skills(students: int) -> str:
    """Write two tests of each student in forty columns, separated by tabs."""
    rows = (
        (
            *(f"{number:04d}", f"9{number:05d}", "X", f"s{number}"),
            *(f"{number % 12 + 1}/3/2014", str(number % 5), test, str(200 + number % 50)),
            *("Above" if number % 2 else "Below", str(number / 4) if number % 9 else ""),
            *(str(strand) for strand in range(2, STRANDS + 1)),
            *(f"2026-09-0{number % 9 + 1}T10:00:00Z", "first", f"s{number}"),
        )
        for number in range(students)
        for test in ("ELA", "MATH")
    )
    return "\n".join("\t".join(row) for row in (HEADER_OF_SKILLS, *rows)) + "\n"


def add_skills(project: Project) -> None:
    """Go the way of the guide with the first file, up to the first cycle, and deliver the file."""
    file = project.home.parent / "skills.txt"
    file.write_text(skills(20), encoding="utf-8")
    [scaffold, compare, build, again, cycle, identities] = COMMANDS
    assert (again, cycle) == (compare, "rollcall cycle")
    assert build == "dbt build --select +stg_acme__skills"
    assert identities == "rollcall identities --source acme"
    words = scaffold.replace("skills.txt", str(file)).removeprefix("rollcall ")
    drafted = project.run(
        *words.split(" --feed ")[0].split(" ", 1), "--feed", "acme/skills", "--json"
    )
    assert drafted.code == 0, drafted.out + drafted.err
    # what writing by hand would touch, with the descriptions that the guide to it leaves out
    assert len(drafted.json["files"]) == len(PARTS) + 2 == 9
    sources = project.project / "seeds" / "contracts" / "sources.csv"
    with sources.open("a", encoding="utf-8") as stream:
        stream.write(drafted.json["source_row"] + "\n")
    with sources.with_name("district_limits.csv").open("a", encoding="utf-8") as stream:
        stream.write("acme,max_unlinked_percent,65,Twelve of twenty are nobody's.\n")
    for name, text in SOURCES_PARTS:
        path = project.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    [switches] = re.findall(r"^```yaml\n(.*?)^```$", SOURCES_GUIDE, re.DOTALL | re.MULTILINE)
    configured = project.project / "dbt_project.yml"
    text = configured.read_text(encoding="utf-8")
    known = "      learning_paths: {+enabled: false}\n"
    assert text.count(known) == 1
    configured.write_text(text.replace(known, known + switches), encoding="utf-8")
    assert project.run(*compare.split()[1:]).code == 0
    project.deliver("2026-09-02T030000Z", {"skills.txt": file.read_bytes()}, source="acme")


def attendance(project: Project, number: int, codes: Mapping[tuple[str, int], str]) -> None:
    """Deliver the whole file as of a night: (student, day of September) to code and minutes."""
    rows = [f"{student},2026-09-{day:02d},s1,{code}\n" for (student, day), code in codes.items()]
    name = f"2026-09-{number:02d}T020000Z"
    project.deliver(name, {"attendance.csv": HEADER + "".join(rows)}, source="att")


@pytest.fixture(scope="module")
def attended(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Tell two nights of a project with attendance, of which each file is the whole truth."""
    folder = tmp_path_factory.mktemp("attendance") / ODD_FOLDER
    write_project(folder / "project")
    (folder / "inbox").mkdir()
    project = Project(folder / "home", folder / "inbox")
    build_as_the_guide_says(project)
    add_skills(project)
    story = Story(project, project.project)
    story.roster(2, STUDENTS)
    codes = {(student, 1): "present,0" for student in STUDENTS}
    attendance(project, 2, codes | {("s1", 1): "absent,x", ("ghost", 1): "present,1.5"})
    story.cycle(2)
    codes |= {(student, 2): "tardy, 7.50" for student in STUDENTS}
    late = {("s0", 1): "absent,400", ("s1", 2): "unknown,0"}
    attendance(project, 3, codes | late)
    with (project.inbox / "att" / "2026-09-03T020000Z" / "attendance.csv").open("a") as stream:
        stream.write("s2,2026-09-02,s1,tardy, 7.50\n")  # said twice
        stream.write("s3,2026-09-02,s1,absent,1\n")  # said in two ways
        stream.write('s9,2026-09-09,s1,"present\n')  # malformed
    corrected = skills(19).replace("\tMATH\t201\t", "\tMATH\t209\t").replace("\t202\t", "\tx\t")
    project.deliver("2026-09-03T030000Z", {"skills.txt": corrected}, source="acme")
    story.cycle(3)
    return project


def test_every_part_of_the_guide_is_used() -> None:
    assert len(PARTS) == 7
    assert {name for name, _ in PARTS} >= {
        "models/marts/fct_attendance.sql",
        "seeds/contracts/district_feeds.csv",
    }


def test_unit_tests_that_ship_know_no_feed_of_a_district() -> None:
    """A model that reads the feeds of a district is tested as if it had none."""
    reading = [
        path
        for path in (PROJECT_DIR / "models").rglob("*.sql")
        if re.search(r"\b(own_feeds\(\)|read_feeds\()", path.read_text(encoding="utf-8"))
        and path.with_suffix(".yml").exists()
    ]
    assert reading
    for path in reading:
        described = yaml.safe_load(path.with_suffix(".yml").read_text(encoding="utf-8"))
        for unit_test in described["unit_tests"]:
            assert unit_test["overrides"]["macros"]["own_feeds"] == [], unit_test["name"]


def test_two_columns_are_one_key_in_every_step(attended: Project) -> None:
    """Each record is judged by student and day: rejected, duplicate, in conflict or taken."""
    rows = attended.warehouse(
        "select student_id, attended_on::text, code, minutes::text, unresolved, inactive_reason "
        "from district.fct_attendance where student_id in ('s0', 's1', 's3', 'ghost') "
        "order by all"
    )
    assert rows == [
        ("ghost", "2026-09-01", "present", "1.500000", ["student_id"], "absent"),
        ("s0", "2026-09-01", "absent", "400.000000", [], None),
        ("s0", "2026-09-02", "tardy", "7.500000", [], None),
        ("s1", "2026-09-01", "present", "0.000000", [], None),
        ("s3", "2026-09-01", "present", "0.000000", [], None),
    ]
    judged = attended.warehouse(
        "select record_key, line_number, code from audit.audit_rejected_record "
        "where source_id = 'att' order by all"
    )
    assert judged == [
        ("s1 | 2026-09-02", 11, "VALUE_NOT_ALLOWED"),
        ("s2 | 2026-09-02", 18, "DUPLICATE_RECORD"),
        ("s3 | 2026-09-02", 13, "DUPLICATE_KEY_CONFLICT"),
        ("s3 | 2026-09-02", 19, "DUPLICATE_KEY_CONFLICT"),
        ("s9 | 2026-09-09", 20, "UNCLOSED_QUOTE"),
    ]
    balances = attended.warehouse(
        "select record_count, malformed_count, rejected_count, duplicate_count, accepted_count "
        "from reconciliation.recon_file_balance where source_id = 'att' order by first_cycle_id"
    )
    assert balances == [(9, 0, 0, 0, 9), (19, 1, 3, 1, 14)]


def test_a_drafted_feed_is_judged_and_its_newest_version_stands(attended: Project) -> None:
    """Nothing but what `rollcall scaffold` wrote: a correction, unreadable scores, one who left."""
    rows = attended.warehouse(
        "select student_id, test, scale_score, strand_1_pct::varchar, upload_time::text, "
        "inactive_reason from district.fct_acme_skills "
        "where student_id in ('0001', '0002', '0019') order by all"
    )
    assert rows == [
        ("0001", "ELA", 201, "0.250000", "2026-09-02 10:00:00", None),
        ("0001", "MATH", 209, "0.250000", "2026-09-02 10:00:00", None),
        ("0002", "ELA", 202, "0.500000", "2026-09-03 10:00:00", None),
        ("0002", "MATH", 202, "0.500000", "2026-09-03 10:00:00", None),
        ("0019", "ELA", 219, "4.750000", "2026-09-02 10:00:00", "absent"),
        ("0019", "MATH", 219, "4.750000", "2026-09-02 10:00:00", "absent"),
    ]
    balances = attended.warehouse(
        "select rejected_count, accepted_count from reconciliation.recon_file_balance "
        "where source_id = 'acme' order by first_cycle_id"
    )
    assert balances == [(0, 40), (2, 36)]
    assert (
        attended.warehouse(
            "select column_name, code from audit.audit_rejected_record where source_id = 'acme'"
        )
        == [("ScaleScore", "INVALID_NUMBER")] * 2
    )


def test_results_of_a_drafted_feed_reach_students_and_outcomes(attended: Project) -> None:
    """Eight of twenty students are on the roster, with the accounts, names and levels of acme."""
    assert attended.warehouse(
        "select outcome, count(*), min(student_key) from core.dim_student_id "
        "where source_id = 'acme' group by all order by all"
    ) == [("linked", 8, "sis:s0"), ("none", 12, None)]
    assert attended.warehouse(
        "select student_id, state, method from progression.fct_mastery "
        "where objective_id = 'SKILLS.MATH' and student_id < 's2' order by all"
    ) == [
        ("s0", "not_mastered", "asserted"),
        ("s1", "mastered", "asserted"),
    ]
    waiting = attended.run("identities", "--source", "acme", "--json")
    assert waiting.code in (0, 3), waiting.err
    ladder = attended.warehouse(
        "select step, sum(record_count), sum(lost_count) from reconciliation.recon_coverage "
        "where source_id = 'acme' group by step_number, step order by step_number"
    )
    assert ladder == [
        ("in_file", 78, 0),
        ("accepted", 76, 2),  # scores that cannot be read
        ("newest", 40, 36),
        ("valid", 38, 2),  # of the student whom the newest file lacks
        ("linked", 16, 22),
        ("aligned", 8, 8),
        ("evidence", 3, 5),  # dated after this night
        ("enrolled", 3, 0),
    ]


def test_a_row_is_traced_by_both_columns(attended: Project) -> None:
    done = attended.run("trace", "--table", "district.fct_attendance", "--key", "s0 | 2026-09-01")
    assert done.code == 0, done.out + done.err
    assert "district.fct_attendance" in done.out
    nowhere = attended.run("trace", "--table", "district.fct_attendance", "--key", "s0")
    assert nowhere.code == 2
    assert "no row with student_id | attended_on 's0'" in nowhere.err
    assert "has ids like s0 | 2026-09-0" in nowhere.err


def test_every_difference_is_explained(attended: Project) -> None:
    done = attended.run("reconcile", "--json")
    assert done.code in (0, 3), done.out
    missing = attended.warehouse(
        "select column_name, record_key, reason from reconciliation.recon_missing_record "
        "where source_id = 'att' order by all"
    )
    assert missing == [
        ("Student | Day", f"{key}", "rejected")
        for key in ("s1 | 2026-09-02", "s3 | 2026-09-02", "s9 | 2026-09-09")
    ]
    other = attended.warehouse(
        "select record_key, reason from reconciliation.recon_diverging_value "
        "where source_id = 'att' union all select record_key, reason "
        "from reconciliation.recon_unexpected_record where source_id = 'att'"
    )
    assert other == []
    sums = attended.warehouse(
        "select is_equal from reconciliation.recon_column_sum where source_id = 'att'"
    )
    assert sums == [(True,)]


@pytest.mark.parametrize(
    "texts", [("a",), ("a|b",), ("a|", "b"), ("a", "|b"), ("a | b", "c"), ("a", "b | c"), ("", "b")]
)
def test_a_key_of_several_columns_is_told_apart(attended: Project, texts: tuple[str, ...]) -> None:
    parts = [f"nullif('{text}', '')" for text in texts]
    assert attended.ledger(f"select {record_key(parts)}") == [(record_key_of(texts),)]


@pytest.mark.long
def test_a_file_without_most_records_removes_nothing_before_somebody_agrees(
    attended: Project,
) -> None:
    """Every file is the whole truth, as the source declares; the limits count both columns."""
    attendance(attended, 4, {("s0", 2): "tardy,7.5"})
    story = Story(attended, attended.project)
    said = story.cycle(4, code=3)
    assert "MASS_DELETION" in said
    assert "13 of 14 active records would be removed" in re.sub(r"\s+", " ", said)
    active = "select count(*) from district.fct_attendance where is_active"
    assert attended.warehouse(active) == [(14,)]
    held = "select distinct reason from reconciliation.recon_unexpected_record"
    assert attended.warehouse(f"{held} where source_id = 'att'") == [("held",)]
    file = "att/2026-09-04T020000Z/attendance.csv"
    assert attended.run("release", file, "--reason", "a new year", now=night(4)).code == 0
    story.cycle(5)
    assert attended.warehouse(active) == [(1,)]


def test_a_source_with_feeds_of_its_own_is_tried_out_alone(
    attended: Project, tmp_path: Path
) -> None:
    """Live tables keep what they have of it; what comes later is seen by the pilot alone."""
    project = attended.copy(tmp_path)
    shutil.copytree(attended.project, tmp_path / "project", symlinks=True)
    assert project.run("init").code == 0
    attendance_of = "select student_id, attended_on::text, code from {}.fct_attendance order by all"
    before = project.warehouse(attendance_of.format("district"))
    assert project.run("demote", "att", "--reason", "its codes have changed").code == 0
    attendance(project, 4, {("s0", 3): "present,0", ("s1", 3): "tardy,5"})
    done = project.cycle("2026-09-04T18:00:00Z")
    assert not done.json["failed_pilots"], done.out
    assert project.warehouse(attendance_of.format("district")) == before
    seen = project.warehouse(attendance_of.format("pilot_att"))
    assert [row for row in seen if row[1] == "2026-09-03"] == [
        ("s0", "2026-09-03", "present"),
        ("s1", "2026-09-03", "tardy"),
    ]

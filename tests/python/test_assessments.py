"""Exports of assessment vendors: landed, staged, reconciled, and what becomes of them by night.

One home tells all: each vendor has a source whose files are whole and one whose files add.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time

import pytest
from conftest import Project, copy_of_the_project, read_csv

from rollcall.contracts.project import Contracts
from rollcall.project import PROJECT_DIR

CONTRACTS = Contracts.load(PROJECT_DIR / "seeds" / "contracts")
BOM = b"\xef\xbb\xbf"
Row = Mapping[str, str]


def header(feed: str, version: str) -> tuple[str, ...]:
    """Return the names of the columns of a layout."""
    [layout] = [item for item in CONTRACTS.versions(feed) if item.version == version]
    return layout.names


def as_csv(
    feed: str, version: str | Sequence[str], rows: Iterable[Row], *, of_windows: bool = False
) -> bytes:
    """Write records by a layout, or by the names of columns.

    As Windows does, with a byte order mark and other line ends.
    """
    stream = io.StringIO()
    names = header(feed, version) if isinstance(version, str) else version
    writer = csv.DictWriter(
        stream, names, restval="", lineterminator="\r\n" if of_windows else "\n"
    )
    writer.writeheader()
    writer.writerows(rows)
    return BOM * of_windows + stream.getvalue().encode()


def declare(project: Project, sources: Mapping[str, tuple[str, str]]) -> None:
    """Declare sources beside the roster: source to family and default mode."""
    path = project.project / "seeds" / "contracts" / "sources.csv"
    [sis] = [row for row in read_csv(path) if row["source_id"] == "sis"]
    lines = [",".join(sis), ",".join((sis | {"due_feeds": ""}).values())]
    for source_id, (family, mode) in sources.items():
        own = {"source_id": source_id, "families": family, "default_mode": mode, "due_feeds": ""}
        own["header_policy"] = "by_name" if source_id == "map_combined" else "strict"
        lines.append(",".join((sis | own).values()))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


# --- NWEA ---------------------------------------------------------------------------------------

RESULTS = "nwea/assessment_results"
STUDENTS = "nwea/students"
PLAIN = {
    "TermName": "Fall 2021-2022",
    "SchoolName": "North",
    "GrowthMeasureYN": "TRUE",
    "TestType": "Survey With Goals",
    "TestName": "Growth: Science 6+ TX 2017",
    "TestRITScore": "208",
    "TestStandardError": "3.4",
    "TestPercentile": "57",
    "Goal1Name": "Earth and Space",
    "Goal1RitScore": "209",
    "Goal1Adjective": "Avg",
    "PercentCorrect": "54",
}
OLD = PLAIN | {
    "MeasurementScale": "Science K-12",
    "Discipline": "Science",
    "TestStartDate": "9/6/2021",
    "TestStartTime": "8:54:50",
    "TypicalFallToFallGrowth": "6",
}
NEW = PLAIN | {
    "Subject": "Science",
    "Course": "Science K-12",
    "NormsReferenceData": "2020",
    "TestID": "711521234",
    "TestStartDate": "09/06/2021",
    "TestStartTime": "08:54:50",
    "AchievementQuintile": "Avg",
    "TypicalFallToFallGrowth": "6.0",
}
MANY = [f"7{number:02d}" for number in range(60)]


def first_night() -> bytes:
    """Return results by the older layout; a few are rejected."""
    rows = [OLD | {"StudentID": student} for student in ("0123", "123", "200", "201", "202", *MANY)]
    rows += [
        OLD | {"StudentID": "300", "TestStartTime": "noon"},
        OLD | {"StudentID": "301", "TestStartDate": "2021-09-06"},
        OLD | {"StudentID": "302", "TestStartDate": "9/6/1970"},
        OLD | {"StudentID": ""},
        OLD | {"StudentID": "303", "TestRITScore": "208.0", "Goal1Adjective": "Superb"},
    ]
    return as_csv(RESULTS, "64", rows)


def second_night() -> bytes:
    """Return the same by the newer one: a flag has flipped, a score is restated, one is gone."""
    rows = [
        NEW | {"StudentID": "0123", "GrowthMeasureYN": "FALSE", "TestPercentile": "58"},
        NEW | {"StudentID": "123", "TestRITScore": "211"},
        NEW | {"StudentID": "200"},
        *(NEW | {"StudentID": student} for student in MANY),
        NEW | {"StudentID": "303", "TestName": "Screening: Reading", "TestType": "Survey"},
        NEW | {"StudentID": "303"},
    ]
    text = as_csv(RESULTS, "143", rows, of_windows=True)
    lines = text.removesuffix(b"\r\n").split(b"\r\n")
    return b"\r\n".join([*lines, lines[3].replace(b",200,", b",202,").removesuffix(b",")]) + b"\r\n"


def combined() -> bytes:
    """Return results with their students, as a vendor orders the columns of the day."""
    row = NEW | {"StudentID": "0123", "StudentLastName": "Doe", "StudentDateOfBirth": "5/1/2010"}
    row |= {"Grade": "6"}
    names = sorted(set(header(RESULTS, "150")) - {"TestID", "ProjectedProficiencyLevel10"})
    return as_csv(RESULTS, names, [{name: row.get(name, "") for name in names}])


def listed() -> bytes:
    """Return students as NWEA lists them."""
    rows = [
        {
            "TermName": "Fall 2021-2022",
            "SchoolName": school,
            "StudentLastName": "Doe",
            "StudentFirstName": "Jo",
            "StudentID": student,
            "StudentDateOfBirth": born,
        }
        for school, student, born in (
            ("North", "0123", "5/01/2010"),
            ("South", "0123", "05/1/2010"),
            ("North", "123", "13/1/2010"),
        )
    ]
    return as_csv(STUDENTS, "11", rows)


# --- i-Ready and Star ---------------------------------------------------------------------------

READING = {
    "Student ID": "0605",
    "Academic Year": "2025-2026",
    "Overall Scale Score": "424",
    "Overall Relative Placement": "2 Grade Levels Below",
    "Phonics Scale Score": "Tested Out",
    "Phonics Placement": "Tested Out",
    "Phonics Relative Placement": "Mid or Above Grade Level",
    "Vocabulary Scale Score": "415",
    "Rush Flag": "Green Rush Flag",
}
SPELLINGS = {
    "2021": ("01/03/2026", "Most Recent Diagnostic (Y/N)"),
    "2025": ("1/3/2026", "Most Recent Diagnostic YTD (Y/N)"),
    "2026": ("1/3/2026", "Most Recent Assessment YTD (Y/N)"),
}


def readings(version: str, most_recent: str) -> bytes:
    """Return two results of reading by a layout, one of them with a word that nobody knows."""
    day, flag = SPELLINGS[version]
    row = READING | {"Start Date": day, "Completion Date": day, flag: most_recent}
    rows = [row, row | {"Student ID": "605", "Vocabulary Scale Score": "many"}]
    return as_csv("iready/diagnostic_ela", version, rows, of_windows=version != "2021")


def sums(number: str) -> bytes:
    """Return one result of mathematics."""
    row = READING | {"Start Date": "1/4/2026", "Completion Date": "1/5/2026"}
    row |= {"Geometry Scale Score": number}
    names = header("iready/diagnostic_math", "2025")
    return as_csv(
        "iready/diagnostic_math", "2025", [{key: row[key] for key in row if key in names}]
    )


def lessons() -> bytes:
    """Return attempts at a lesson on one day: two, of which one is there twice."""
    row = {"Student ID": "0605", "Lesson ID": "L.1", "Completion Date": "1/5/2026"}
    row |= {"Total Time on Lesson (min)": "12", "Score": "50", "Passed or Not Passed": "Not Passed"}
    again = row | {"Score": "83", "Passed or Not Passed": "Passed"}
    return as_csv("iready/lessons", "2026", [row, again, row])


def star_files(status: str, score: str) -> dict[str, bytes]:
    """Return a test with its standards and skill areas."""
    test = {
        "AssessmentID": "a-1",
        "SchoolYear": "2023-2024",
        "StudentIdentifier": "0605",
        "CompletedDate": "2023-08-21T17:28:05.852Z",
        "CompletedDateLocal": "2023-08-21T13:28:05.852Z",
    }
    stands = {"AssessmentStatus": status, "UnifiedScore": score, "StateBenchmarkProficient": "No"}
    blank = {"AssessmentID": "a-2", "StudentIdentifier": ""}
    standards = [test | {"StandardName": f"S.{n}", "StandardPercentMastery": "74"} for n in (1, 2)]
    areas = [test | {"SkillAreaName": "Synonyms", "SkillAreaMasteryScore": "91"}]
    return {
        "SR_v2.csv": as_csv("star/overall", "126", [test | stands, test | stands | blank]),
        "SR_Dashboard_Standards_v2.csv": as_csv("star/standards", "21", standards),
        "SR_SkillArea_v1.csv": as_csv("star/skill_area", "16", areas),
    }


NIGHTS: tuple[Mapping[str, Mapping[str, bytes]], ...] = (
    {
        "map": {"AssessmentResults.csv": first_night(), "StudentBySchool.csv": listed()},
        "map_delta": {"AssessmentResults.csv": first_night()},
        "map_combined": {"AssessmentResults.csv": combined()},
        "iready": {
            "diagnostic_results_ela.csv": readings("2021", "Y"),
            "diagnostic_results_math.csv": sums("397"),
            "lessons_ela.csv": lessons(),
        },
        "star": star_files("Active", "615"),
    },
    {
        "map": {"AssessmentResults.csv": second_night(), "StudentBySchool.csv": listed()},
        "map_delta": {"AssessmentResults.csv": second_night()},
        "iready": {
            "i-ready_inform_results_reading_english.csv": readings("2026", "N"),
            "diagnostic_results_math.csv": sums("398"),
        },
        "star": star_files("Deactivated", "615"),
    },
)
SOURCES = {
    "map": ("nwea", "bulk"),
    "map_delta": ("nwea", "delta"),
    "map_combined": ("nwea", "delta"),
    "iready": ("iready", "delta"),
    "star": ("star", "delta"),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Project]:
    """Tell two nights; gives the district after each."""
    project = copy_of_the_project(tmp_path_factory.mktemp("assessments"))
    declare(project, SOURCES)
    after = []
    for number, deliveries in enumerate(NIGHTS, 1):
        for source_id, files in deliveries.items():
            project.deliver(f"2026-09-{number:02d}T010000Z", files, source=source_id)
        done = project.cycle(f"2026-09-{number:02d}T18:00:00Z")
        assert done.code in (0, 3), done.out + done.err
        after.append(project.copy(tmp_path_factory.mktemp("night")))
    return after[0], project


def ask(project: Project, sql: str) -> list[tuple[object, ...]]:
    """Ask the published warehouse."""
    return project.warehouse(sql)


def results(project: Project, columns: str, source_id: str = "map") -> dict[str, Sequence[object]]:
    """Return columns of the results of MAP Growth, by student."""
    rows = ask(
        project,
        f"select student_id, {columns} from core.fct_nwea_assessment_result "
        f"where source_id = '{source_id}' and assessment = 'MAP Growth' order by all",
    )
    assert len({row[0] for row in rows}) == len(rows)
    return {str(row[0]): row[1:] for row in rows}


def test_both_layouts_and_both_spellings_of_a_date_are_one_key(
    told: tuple[Project, Project],
) -> None:
    columns = "result_id, test_date, test_time, event_at, event_precision, data_year, subject"
    for project in told:
        found = results(project, columns)
        assert {"0123", "123", "200", "201", "202", "303", *MANY} == set(found)
        assert found["0123"] == (
            "Fall 2021-2022 | 0123 | Growth: Science 6+ TX 2017 | 2021-09-06 | 08:54:50",
            date(2021, 9, 6),
            time(8, 54, 50),
            datetime(2021, 9, 6, 13, 54, 50),
            "instant",
            2022,
            "Science",
        )
    assert results(told[0], "test_id, goal_1_rit_score")["303"] == (None, 209)
    assert results(told[1], "test_id, goal_1_rit_score")["303"] == ("711521234", 209)
    scores = {student: score for student, (score,) in results(told[1], "rit_score").items()}
    assert (scores["0123"], scores["123"], scores["303"]) == (208, 211, 208)


def test_a_file_with_results_and_students_is_read_by_its_names(
    told: tuple[Project, Project],
) -> None:
    columns = "family_name, birth_date, grade, test_id, rit_score, subject, goal_1_name"
    assert results(told[1], columns, "map_combined") == {
        "0123": ("Doe", date(2010, 5, 1), "6", None, 208, "Science", "Earth and Space")
    }


def test_a_flag_that_flips_restates_no_result(told: tuple[Project, Project]) -> None:
    before, after = (results(project, "result_hash, flag_hash") for project in told)
    assert before["0123"][0] == after["0123"][0] == before["200"][0]
    assert before["0123"][1] != after["0123"][1]
    assert before["123"][0] != after["123"][0]
    assert after["123"][1] == after["200"][1]


def test_a_screening_is_another_assessment(told: tuple[Project, Project]) -> None:
    assert ask(
        told[1],
        "select student_id, assessment, test_name from core.fct_nwea_assessment_result "
        "where source_id = 'map' and assessment <> 'MAP Growth'",
    ) == [("303", "MAP Growth screening", "Screening: Reading")]


def test_what_a_file_lacks_is_gone_where_it_is_whole_and_only_there(
    told: tuple[Project, Project],
) -> None:
    """A record that is one cell short names its key all the same."""
    for source_id, gone in (("map", {"201"}), ("map_delta", set())):
        found = results(told[1], "inactive_reason", source_id)
        assert {student for student, (reason,) in found.items() if reason == "absent"} == gone
        assert {reason for (reason,) in found.values()} <= {"absent", None}


def test_what_cannot_be_read_is_said_and_an_unknown_word_is_kept(
    told: tuple[Project, Project],
) -> None:
    project = told[1]
    said = (
        "select line_number, column_name, code from audit.{} "
        "where source_id = 'map' and feed = 'nwea/assessment_results' order by all"
    )
    assert ask(project, said.format("audit_rejected_record")) == [
        (67, "TestStartTime", "INVALID_DATETIME"),
        (67, None, "TOO_FEW_FIELDS"),
        (68, "TestStartDate", "INVALID_DATE"),
        (69, "TestStartDate", "EVENT_DATE_IMPLAUSIBLE"),
        (70, "StudentID", "REQUIRED_MISSING"),
    ]
    assert ask(project, said.format("audit_record_warning")) == [
        (71, "Goal1Adjective", "VALUE_UNKNOWN")
    ]
    assert results(told[0], "goal_1_adjective")["303"] == ("Superb",)


def test_a_student_is_listed_once_in_each_school(told: tuple[Project, Project]) -> None:
    assert ask(
        told[1],
        "select student_id, school_name, family_name, birth_date, is_active "
        "from core.dim_nwea_student order by all",
    ) == [
        ("0123", "North", "Doe", date(2010, 5, 1), True),
        ("0123", "South", "Doe", date(2010, 5, 1), True),
        ("123", "North", "Doe", None, True),
    ]


def test_every_record_is_accounted_for_and_every_difference_explained(
    told: tuple[Project, Project],
) -> None:
    counted = ask(
        told[1],
        "select source_id, record_count, malformed_count, rejected_count, duplicate_count, "
        "accepted_count from reconciliation.recon_file_balance "
        f"where is_balanced and feed = '{RESULTS}' and source_id <> 'map_combined' order by all",
    )
    assert counted == [
        (source_id, *counts)
        for source_id in ("map", "map_delta")
        for counts in ((66, 1, 0, 0, 65), (70, 0, 4, 0, 66))
    ]
    for table in ("missing_record", "unexpected_record", "diverging_value"):
        reasons = f"select distinct reason from reconciliation.recon_{table}"
        assert set(ask(told[1], reasons)) <= {("rejected",)}, table


def test_a_word_in_place_of_a_score_is_no_error(told: tuple[Project, Project]) -> None:
    columns = (
        "student_id, completion_date, event_at, event_precision, phonics_scale_score, "
        "phonics_placement, vocabulary_scale_score, most_recent_code, data_year"
    )
    for project, flag in zip(told, "YN", strict=True):
        day, end = date(2026, 1, 3), datetime(2026, 1, 4, 6)
        assert ask(
            project, f"select {columns} from core.fct_iready_diagnostic_ela order by all"
        ) == [
            ("0605", day, end, "date", None, "Tested Out", 415, flag, 2026),
            ("605", day, end, "date", None, "Tested Out", None, flag, 2026),
        ]
    warned = ask(
        told[0],
        "select line_number, column_name, code from audit.audit_record_warning "
        "where feed = 'iready/diagnostic_ela' order by all",
    )
    assert warned == [
        (2, "Rush Flag", "VALUE_UNKNOWN"),
        (3, "Rush Flag", "VALUE_UNKNOWN"),
        (3, "Vocabulary Scale Score", "OPTIONAL_VALUE_IGNORED"),
    ]


def test_flags_and_domains_of_other_layouts_are_hashed_alike(
    told: tuple[Project, Project],
) -> None:
    for mart, is_flagged in (("ela", True), ("math", False)):
        hashes = (
            f"select result_hash, flag_hash from core.fct_iready_diagnostic_{mart} "
            "where student_id = '0605'"
        )
        [(result, flag)], [(later_result, later_flag)] = (ask(p, hashes) for p in told)
        assert (result != later_result, flag != later_flag) == (not is_flagged, is_flagged)


def test_attempts_at_a_lesson_are_told_apart_and_repeated_ones_are_one(
    told: tuple[Project, Project],
) -> None:
    attempts = "select student_id, score_percent, passed_code from core.fct_iready_lesson"
    assert ask(told[1], f"{attempts} order by all") == [
        ("0605", 50, "Not Passed"),
        ("0605", 83, "Passed"),
    ]
    balance = (
        "select record_count, rejected_count, duplicate_count, accepted_count "
        "from reconciliation.recon_file_balance where feed = 'iready/lessons'"
    )
    assert ask(told[1], balance) == [(3, 0, 1, 2)]


def test_a_test_that_is_taken_back_stays_as_withdrawn(told: tuple[Project, Project]) -> None:
    columns = "assessment_id, student_id, unified_score, validity, event_at, subject, is_active"
    for project, validity in zip(told, ("valid", "withdrawn"), strict=True):
        at = datetime(2023, 8, 21, 17, 28, 5, 852000)
        assert ask(project, f"select {columns} from core.fct_star_result order by all") == [
            ("a-1", "0605", 615, validity, at, None, True),
            ("a-2", None, 615, validity, at, None, True),
        ]
    parts = ask(
        told[1],
        "select standard_result_id, percent_mastery from core.fct_star_standard union all "
        "select skill_area_result_id, mastery_score from core.fct_star_skill_area order by all",
    )
    assert parts == [("a-1 | S.1", 74), ("a-1 | S.2", 74), ("a-1 | Synonyms", 91)]


def test_a_row_is_traced_by_its_whole_key(told: tuple[Project, Project]) -> None:
    key = "Fall 2021-2022 | 0123 | Growth: Science 6+ TX 2017 | 2021-09-06 | 08:54:50"
    table = "core.fct_nwea_assessment_result"
    done = told[1].run("trace", "--table", table, "--key", key, "--source", "map")
    assert done.code == 0, done.out + done.err
    assert "AssessmentResults.csv" in done.out


def test_archive_and_ledger_give_every_table_again(told: tuple[Project, Project]) -> None:
    done = told[1].run("verify", "--replay")
    assert done.code == 0, done.out + done.err

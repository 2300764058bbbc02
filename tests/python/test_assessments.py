"""Exports of assessment vendors: landed, staged, reconciled, and what becomes of them by night.

One home tells all: each vendor has a source whose files are whole and one whose files add.
"""

import csv
import io
import shutil
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import Project, copy_of_the_project, read_csv

from rollcall.contracts.project import Contracts
from rollcall.contracts.reading import ContractError
from rollcall.project import PROJECT_DIR

pytestmark = pytest.mark.more

CONTRACTS = Contracts.load(PROJECT_DIR / "seeds" / "contracts")
BOM = b"\xef\xbb\xbf"
Row = Mapping[str, str]
BY_NAME = ("map_combined", "canvas_sis")
"""The sources whose files have columns in any order."""


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


YEARS = {"map_last_year": "08-15", "iready": "09-15"}
"""When the school years of sources begin; the others do not say."""


def declare(project: Project, sources: Mapping[str, tuple[str, str]]) -> None:
    """Declare sources beside the roster: source to family and default mode."""
    path = project.project / "seeds" / "contracts" / "sources.csv"
    [sis] = [row for row in read_csv(path) if row["source_id"] == "sis"]
    lines = [",".join(sis), ",".join((sis | {"due_feeds": ""}).values())]
    for source_id, (family, mode) in sources.items():
        own = {"source_id": source_id, "families": family, "default_mode": mode, "due_feeds": ""}
        own["header_policy"] = "by_name" if source_id in BY_NAME else "strict"
        own["year_rolls_on"] = YEARS.get(source_id, "")
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


def of_term(term: str, day: str, students: Iterable[str]) -> bytes:
    """Return the results of one term, as an export of NWEA lists them."""
    row = NEW | {"TermName": term, "TestStartDate": day}
    return as_csv(RESULTS, "143", [row | {"StudentID": student} for student in students])


def combined() -> bytes:
    """Return results with their students, as a vendor orders the columns of the day."""
    row = NEW | {"StudentID": "0123", "StudentLastName": "Doe", "StudentDateOfBirth": "5/1/2010"}
    row |= {"Grade": "6"}
    names = sorted(set(header(RESULTS, "150")) - {"TestID", "ProjectedProficiencyLevel10"})
    return as_csv(RESULTS, names, [{name: row.get(name, "") for name in names}])


def of_last_year() -> bytes:
    """Return one result of an earlier year, as a vendor keeps it until the new one begins."""
    return as_csv(RESULTS, "143", [NEW | {"StudentID": "0123"}])


def listed(term: str = "Fall 2021-2022") -> bytes:
    """Return students as NWEA lists them for a term."""
    rows = [
        {
            "TermName": term,
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


# --- Canvas -------------------------------------------------------------------------------------

OUTCOMES = "canvas/outcome_results"
COMPETENCY = "canvas/student_competency"
WORK = {
    "student name": "Doe, Jo",
    "learning outcome id": "310",
    "learning outcome name": "MATH.6.RP.1",
    "submission date": "2026-08-30T23:59:40-05:00",
    "attempt": "1",
    "outcome score": "3.2",
    "learning outcome points possible": "4.0",
    "learning outcome mastery score": "3.0",
    "learning outcome mastered": "1",
    "learning outcome rating": "Mastery",
    "enrollment state": "active",
}
POSTER = WORK | {
    "assessment type": "assignment",
    "assessment id": "1202",
    "assignment id": "1202",
    "assignment url": "https://canvas.example/courses/401/assignments/1202",
}
QUIZ = WORK | {
    "assessment type": "quiz",
    "assessment id": "2201",
    "assignment id": "1201",
    "assignment url": "https://canvas.example/courses/401/assignments/1201",
}


def of_canvas(student: str, work: Row = POSTER, /, **changes: str) -> Row:
    """Return a record about a student; names of columns with _ for blanks."""
    known = {"student id": student, "student sis id": f"STU-{student}"}
    return {**work, **known, **{name.replace("_", " "): changes[name] for name in changes}}


def canvas_csv(feed: str, version: str, rows: Iterable[Row]) -> bytes:
    """Write records by a layout that need not have all of their columns."""
    names = header(feed, version)
    return as_csv(feed, version, [{k: row[k] for k in row if k in names} for row in rows])


def outcomes_at_first() -> bytes:
    """Return results by the second layout: sections, logins, questions, hidden points, no date."""
    hidden = dict.fromkeys(
        ("learning_outcome_points_possible", "learning_outcome_mastery_score"), ""
    )
    rows = [
        of_canvas("1", QUIZ, assessment_question_id="7701"),
        of_canvas("1", QUIZ, assessment_question_id="7702", outcome_score="2.0"),
        of_canvas("2", section_id="901"),
        of_canvas("2", section_id="905", enrollment_state="completed"),
        of_canvas("2", student_sis_id=""),
        of_canvas("3", submission_date="", learning_outcome_rating="Near", **hidden),
        of_canvas("4"),
        of_canvas("5"),
        of_canvas("6", assessment_type="discussion"),
        of_canvas("7", outcome_score="n/a"),
        of_canvas("8", assessment_id=""),
        of_canvas("9", outcome_score="0"),
    ]
    return canvas_csv(OUTCOMES, "30", rows)


def outcomes_again() -> bytes:
    """Return the same by the third: mastery asks for more, a score is restated, one is gone."""
    more = {"learning_outcome_mastery_score": "3.5", "learning_outcome_mastered": "0"}
    rows = [
        of_canvas("1", QUIZ, assessment_question_id="7701", **more),
        of_canvas("1", QUIZ, assessment_question_id="7702", outcome_score="2", **more),
        of_canvas("2", outcome_score="4.0", **more),
        of_canvas("3", submission_date="", learning_outcome_rating="Near"),
        of_canvas("5"),
        of_canvas("6", assessment_type="discussion"),
        *(of_canvas(student) for student in "79"),
    ]
    text = canvas_csv(OUTCOMES, "32", rows)
    text = text.replace(b"friendly name", b"friendly name\xef\xbf\xbd", 1)
    before, of_student, after = text.partition(b"STU-5")
    return before + of_student + after.replace(b"active\n", b"active,one too many\n", 1)


def competencies() -> bytes:
    """Return a result that the other report has too, one of its own, and one that is due."""
    rows = [
        of_canvas("1", QUIZ, learning_outcome_group_id="70"),
        of_canvas("1", QUIZ, learning_outcome_group_id="71"),
        of_canvas("10"),
        of_canvas("11", outcome_score="", learning_outcome_mastered="", learning_outcome_rating=""),
    ]
    return canvas_csv(COMPETENCY, "29", rows)


def translated(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return files with the headers that a user of another language gets."""
    words = {b"student name": b"Name des Studenten", b"student sis id": b"SIS-ID des Studenten"}
    words |= {b"SIS User ID": b"SIS-Benutzer-ID"}
    for word, other in words.items():
        files = {name: content.replace(word, other, 1) for name, content in files.items()}
    return dict(files)


NO_OUTCOMES = as_csv(OUTCOMES, "17", []) + b"No outcomes found\n"


def gradebook(*, decimal_comma: bool) -> bytes:
    """Return a gradebook, as a teacher exports it; the later one with a column more.

    The later one has other sections, an assignment that is called otherwise, and a score that is
    taken back; it is written as a browser of another country writes it.
    """
    posters = "Poster, first (1202)" if decimal_comma else "Poster (1202)"
    names = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Quiz (1201)", posters]
    totals = ["Quizzes Current Score", "Current Score", "Final Grade"]
    rows = [
        ["", *[""] * 5, "Manual Posting", *[""] * 3],
        ["    Points Possible", *[""] * 4, "10.00", "20.00", *["(read only)"] * 3],
        ["Doe, Jo", "1", "STU-1", "jdoe", "Math 6 - 1", "8.50", "1,018.50", "80", "88", "B"],
        ["Roe, Al", "2", "STU-2", "aroe", "Math 6 - 1", "EX", "0.00", "", "90", "A"],
        ["'=Poe, Li", "3", "", "lpoe", "Math 6 - 1", "N/A", "", "0", "0", "F"],
        ["Fox, Em", "4", "", "efox", "Math 6 - 1", "late", "7", "0", "0", "F"],
        ["Student, Test", "5", "", "0f0e0d", "Math 6 - 1", "9.00", "", "", "", ""],
    ]
    if decimal_comma:
        names.insert(5, "Extra (1203)")
        for row in rows:
            row.insert(5, "")
        rows[2][4:7] = ["Math 6 - 1 and Math 6 - 2", "1.00", "8.50"]
        rows[5][6] = ""
        exchanged = str.maketrans(",.", ".,")
        rows = [[row[0], *(cell.translate(exchanged) for cell in row[1:])] for row in rows]
    stream = io.StringIO()
    delimiter, end = (";", "\r\n") if decimal_comma else (",", "\n")
    csv.writer(stream, delimiter=delimiter, lineterminator=end).writerows([names + totals, *rows])
    return BOM * decimal_comma + stream.getvalue().encode()


def roster_of_canvas(*, has_moved: bool) -> dict[str, bytes]:
    """Return who is where in Canvas, by SIS CSV files with columns in any order."""
    section, status = ("SEC-2", "completed") if has_moved else ("SEC-1", "active")
    return {
        "users.csv": b"status,login_id,user_id,home_tile,last_name\nactive,jdoe,0123,a,Doe\n"
        b"suspended,jroe,123,,Roe\ngone,jpoe,124,,Poe\nactive,jfox,,,Fox\n",
        "courses.csv": b"course_id,status,start_date\nC,active,2026-08-01T05:00:00Z\n",
        "sections.csv": b"section_id,course_id,status\nSEC-1,C,active\nSEC-2,C,active\n",
        "enrollments.csv": (
            "user_id,course_id,role,section_id,status,associated_user_id\n"
            f"0123,C,student,SEC-1,{status},\n0123,,student,{section},active,\n"
            "9,C,observer,,active,0123\n9,C,observer,,active,123\n9,,teacher,,active,\n"
        ).encode(),
    }


# --- States -------------------------------------------------------------------------------------

CMAS = {
    "StateStudentIdentifier": "12345",
    "Birthdate": "2014-09-01",
    "AssessmentYear": "2022-2023",
    "Subject": "Mathematics",
    "TestCode": "MAT03",
    "CalculatedInvalidation": "Valid Score",
    "Unit1TestEndDateTime": "2023-04-20T21:32:21Z",
    "Unit2TestEndDateTime": "2023-04-24T16:00:36Z",
    "SS": "709",
    "SSCSEM": "10",
    "PerfLVL": "2",
    "Subclaim1PctEarned": "32",
    "Subclaim2PctEarned": "0",
}
NO_SCORE = dict.fromkeys(
    ("SS", "SSCSEM", "PerfLVL", "Subclaim1PctEarned", "Subclaim2PctEarned"), ""
)
NOT_TESTED = {"NotTestedCode": "Y", "NotTestedReason": "9", "CalculatedInvalidation": "Excused"}


def colorado(percentile: str, score: str) -> bytes:
    """Return tests of Colorado: one that counts, and what makes others none."""
    tests = (
        {"PercentileRank": percentile, "SS": score},
        NO_SCORE | NOT_TESTED,
        {"VoidScoreCode": "Y", "VoidScoreReason": "06", "CalculatedInvalidation": "Void"},
        {"CalculatedInvalidation": "Prohibited device"},
        {"ReportSuppressionCode": "01", "ReportSuppressionAction": "2"},
        {"ReportSuppressionCode": "6", "ReportSuppressionAction": "05"},
        {"ReportSuppressionAction": "09", "PerfLVL": "7"},
        {"Unit1TestEndDateTime": "", "Unit2TestEndDateTime": ""},
    )
    rows = [CMAS | {"StudentTestUUID": f"t-{n}"} | test for n, test in enumerate(tests, 1)]
    return as_csv("state/co_cmas", "161", rows)


def indiana(percentile: str, score: str) -> bytes:
    """Return tests of Indiana with a damaged header: a file names neither day nor year."""
    row = {"STN": "1000000", "Student DOB": "1012018", "Enrolled Grade": "6"}
    row |= {"Overall proficiency level": "Below Proficiency"}
    checkpoint = {
        "Test name": "ILEARN Mathematics Grade 6 Checkpoint 1: Ratios",
        "ILEARN Checkpoints Percentile Rank": percentile,
        "Overall scale score": score,
        "ILEARN Checkpoints Reporting Category 1 Performance": "At/Near",
    }
    whole = {
        "Test name": "ILEARN English/Language Arts Grade 6",
        "ILEARN Reporting Category 2 Performance": "Above",
        "Overall scale score": "5300",
    }
    blank = {"Test name": "ILEARN Science Grade 6", "Overall proficiency level": ""}
    passed = {"Test name": "IREAD-3", "IREAD-3 Overall scale score": "446"}
    passed |= {"Overall proficiency level": "", "IREAD-3 Passing Status": "Pass"}
    names = header("state/in_ilearn", "62")
    rows = [row | checkpoint, row | whole, row | blank, row | passed]
    return as_csv("state/in_ilearn", names, rows).replace("\u00ae".encode(), "\ufffd".encode(), 3)


ADMINISTRATIONS = """source_id,assessment,administered_on,data_year,note
indiana,ILEARN,2026-05-08,2026,
indiana,ILEARN,2027-05-07,2027,
indiana,ILEARN Checkpoint 1,2026-02-10,2026,
colorado,CMAS,2026-04-30,2026,
"""
SLOTS = """feed,assessment,subject,slot,first_year,last_year,part
state/co_cmas,CMAS,Mathematics,Subclaim 1,2019,2022,Old Content
state/co_cmas,CMAS,Mathematics,Subclaim 1,2023,,Major Content
"""

NIGHTS: tuple[Mapping[str, Mapping[str, bytes]], ...] = (
    {
        "map": {"AssessmentResults.csv": first_night(), "StudentBySchool.csv": listed()},
        "map_delta": {"AssessmentResults.csv": first_night()},
        "map_terms": {
            "AssessmentResults.csv": of_term("Fall 2021-2022", "9/6/2021", ("0123", *MANY)),
            "StudentBySchool.csv": listed(),
        },
        "map_combined": {"AssessmentResults.csv": combined()},
        "map_last_year": {"AssessmentResults.csv": of_last_year()},
        "iready": {
            "diagnostic_results_ela.csv": readings("2021", "Y"),
            "diagnostic_results_math.csv": sums("397"),
            "lessons_ela.csv": lessons(),
        },
        "star": star_files("Active", "615"),
        "canvas": {
            "outcome_results.csv": outcomes_at_first(),
            "student_competency.csv": competencies(),
        },
        "canvas_of_old": {"outcome_results_csv.csv": NO_OUTCOMES},
        "gradebook": {"2026-08-31T1400_Grades-Math.csv": gradebook(decimal_comma=False)},
        "canvas_sis": roster_of_canvas(has_moved=False),
        "colorado": {"cmas_results.csv": colorado("23", "709")},
        "indiana": {"ilearn_results.csv": indiana("N/A", "5400")},
    },
    {
        "map": {"AssessmentResults.csv": second_night(), "StudentBySchool.csv": listed()},
        "map_delta": {"AssessmentResults.csv": second_night()},
        "map_terms": {
            "AssessmentResults.csv": of_term("Fall 2021-2022", "9/6/2021", MANY),
            "StudentBySchool.csv": listed(),
        },
        "iready": {
            "i-ready_inform_results_reading_english.csv": readings("2026", "N"),
            "diagnostic_results_math.csv": sums("398"),
        },
        "star": star_files("Deactivated", "615"),
        "canvas": {"Outcome Results (1).csv": outcomes_again()},
        "gradebook": {"Gradebook Math.csv": gradebook(decimal_comma=True)},
        "canvas_of_old": translated(
            {
                "outcome_results.csv": outcomes_again(),
                "Gradebook Math.csv": gradebook(decimal_comma=False),
            }
        ),
        "canvas_sis": roster_of_canvas(has_moved=True),
        "colorado": {"cmas_results.csv": colorado("24", "709")},
        "indiana": {"ilearn_results.csv": indiana("55", "5401")},
    },
)
LATER = {
    "AssessmentResults.csv": of_term("Winter 2021-2022", "1/10/2022", ("0123", "123")),
    "StudentBySchool.csv": listed("Winter 2021-2022"),
}
"""The last delivery of `map_terms`, of another term than those before."""
SOURCES = {
    "map": ("nwea", "bulk"),
    "map_terms": ("nwea", "bulk"),
    "map_delta": ("nwea", "delta"),
    "map_combined": ("nwea", "delta"),
    "map_last_year": ("nwea", "delta"),
    "iready": ("iready", "delta"),
    "star": ("star", "delta"),
    "canvas": ("canvas", "bulk"),
    "canvas_of_old": ("canvas", "delta"),
    "gradebook": ("canvas", "delta"),
    "canvas_sis": ("canvas", "bulk"),
    "colorado": ("state", "delta"),
    "indiana": ("state", "delta"),
}


LAST_YEAR = "select file_id from landing.files where code = 'SCHOOL_YEAR_NOT_CURRENT'"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Project]:
    """Tell two nights; gives the district after each."""
    project = copy_of_the_project(tmp_path_factory.mktemp("assessments"))
    declare(project, SOURCES)
    rules = project.project / "seeds" / "rules"
    (rules / "administrations.csv").write_text(ADMINISTRATIONS, encoding="utf-8")
    (rules / "slot_meanings.csv").write_text(SLOTS, encoding="utf-8")
    after = []
    for number, deliveries in enumerate(NIGHTS, 1):
        for source_id, files in deliveries.items():
            project.deliver(f"2026-09-{number:02d}T010000Z", files, source=source_id)
        if number == len(NIGHTS):
            project.deliver(f"2026-09-{number:02d}T020000Z", LATER, source="map_terms")
        done = project.cycle(f"2026-09-{number:02d}T18:00:00Z")
        assert done.code in (0, 3), done.out + done.err
        after.append(project.copy(tmp_path_factory.mktemp("night")))
        for (file_id,) in project.ledger(LAST_YEAR) if number == 1 else ():
            released = project.run("release", str(file_id), "--reason", "It was asked for.")
            assert released.code == 0, released.err
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


def test_a_file_of_one_term_withdraws_nothing_of_another(told: tuple[Project, Project]) -> None:
    """A result that its own term has lost stays withdrawn; no limit counts the other term."""
    found = ask(
        told[1],
        "select term_name, inactive_reason, count(*), min(student_id) "
        "from core.fct_nwea_assessment_result where source_id = 'map_terms' group by all "
        "order by all",
    )
    assert found == [
        ("Fall 2021-2022", "absent", 1, "0123"),
        ("Fall 2021-2022", None, len(MANY), min(MANY)),
        ("Winter 2021-2022", None, 2, "0123"),
    ]
    students = "select count(*) from core.dim_nwea_student where source_id = 'map_terms' and "
    assert ask(told[1], f"{students} is_active") == [(6,)]
    landed = (
        "select verdict, are_removals_held, code, count(*) from landing.files "
        "where source_id = 'map_terms' group by all"
    )
    assert told[1].ledger(landed) == [("accepted", False, None, 6)]
    for table in ("missing_record", "unexpected_record", "diverging_value"):
        reasons = f"select distinct reason from reconciliation.recon_{table} "
        found = ask(told[1], f"{reasons} where source_id = 'map_terms'")
        assert set(found) <= {("rejected",)}, table  # a birth date that is none
    sums = (
        "select is_equal, processed_sum, source_sum from reconciliation.recon_column_sum "
        "where source_id = 'map_terms' and column_name = 'percent_correct'"
    )
    total = 54 * (len(MANY) + 2)
    assert ask(told[1], sums) == [(True, total, total)]


def test_unit_tests_of_the_models_of_vendors_pass(told: tuple[Project, Project]) -> None:
    """Other families are disabled where unit tests run otherwise."""
    names = [
        "a_bulk_withdraws_only_what_it_lacks_of_a_term_that_it_lists",
        "the_newest_bulk_that_lists_a_term_and_what_came_since_are_compared",
        "rows_of_a_term_are_compared_with_the_newest_files_that_list_it",
        "the_hierarchy_ranks_sources_before_the_roster_and_others_stand_after_it",
        "the_newest_word_of_each_source_counts_and_grade_and_school_of_this_year",
        "a_student_is_proposed_by_name_and_birth_date_and_alone_where_nobody_else_is_alike",
    ]
    found = told[1].unit_tests(*names)
    assert [status for status, _ in found] == ["pass"] * len(names), found


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
        (3, None, "RESULT_RESTATED"),
        (71, "Goal1Adjective", "VALUE_UNKNOWN"),
    ]
    assert results(told[0], "goal_1_adjective")["303"] == ("Superb",)


def test_a_student_is_listed_once_in_each_school(told: tuple[Project, Project]) -> None:
    assert ask(
        told[1],
        "select student_id, school_name, family_name, birth_date, is_active "
        "from core.dim_nwea_student where source_id = 'map' order by all",
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
        f"where is_balanced and feed = '{RESULTS}' and source_id in ('map', 'map_delta') "
        "order by all",
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


def outcomes(project: Project, columns: str) -> dict[object, Sequence[object]]:
    """Return columns of the results on outcomes, by student and question."""
    rows = ask(
        project,
        f"select concat_ws('/', nullif(student_sis_id, ''), question_id), {columns} "
        "from core.fct_canvas_outcome_result where source_id = 'canvas' order by all",
    )
    assert len({row[0] for row in rows}) == len(rows)
    return {row[0]: row[1:] for row in rows}


def test_a_result_in_several_sections_is_one_and_logins_are_told_apart(
    told: tuple[Project, Project],
) -> None:
    found = outcomes(told[0], "result_id, outcome_score")
    assert found["STU-1/7701"] == ("1 | STU-1 | 2201 | quiz | 310 | 7701", Decimal("3.2"))
    assert found["STU-2"] == ("2 | STU-2 | 1202 | assignment | 310 | ", Decimal("3.2"))
    assert found[""] == ("2 |  | 1202 | assignment | 310 | ", Decimal("3.2"))
    assert (found["STU-7"][1], found["STU-9"][1]) == (None, 0)
    balance = (
        "select record_count, malformed_count, rejected_count, duplicate_count, accepted_count "
        "from reconciliation.recon_file_balance where is_balanced and source_id = 'canvas' "
        f"and feed = '{OUTCOMES}' order by delivery_name"
    )
    assert ask(told[1], balance) == [(12, 0, 1, 1, 10), (8, 1, 0, 0, 7)]
    said = "select column_name, code from audit.{} source_id = 'canvas' order by all"
    rejected = "audit_rejected_record where code <> 'DUPLICATE_RECORD' and"
    assert ask(told[0], said.format(rejected)) == [("assessment id", "REQUIRED_MISSING")]
    assert ask(told[0], said.format("audit_record_warning where")) == [
        ("assessment type", "VALUE_UNKNOWN"),
        ("outcome score", "OPTIONAL_VALUE_IGNORED"),
        ("submission date", "EVENT_DATE_MISSING"),
    ]


def test_mastery_that_asks_for_more_restates_no_result(told: tuple[Project, Project]) -> None:
    before, after = (outcomes(project, "result_hash, flag_hash") for project in told)
    for question in ("STU-1/7701", "STU-1/7702"):
        assert before[question][0] == after[question][0]
        assert before[question][1] != after[question][1]
    assert before["STU-2"][0] != after["STU-2"][0]


def test_a_key_with_a_blank_part_is_read_of_a_malformed_record_too(
    told: tuple[Project, Project],
) -> None:
    """The record of student 5 has a cell too many; its key is there, and nobody removes it."""
    gone = {key: reason for key, (reason,) in outcomes(told[1], "inactive_reason").items()}
    assert {key for key, reason in gone.items() if reason} == {"STU-4", ""}


def test_a_result_without_a_date_counts_from_the_first_export_that_has_it(
    told: tuple[Project, Project],
) -> None:
    """Its points were hidden, and are known in the second night: then it is another result."""
    first, second = datetime(2026, 9, 1, 1), datetime(2026, 9, 2, 1)
    for project, at in zip(told, (first, second), strict=True):
        assert outcomes(project, "event_at, event_precision")["STU-3"] == (at, "date")
    undated = "select event_at, exported_at from core.fct_canvas_competency where attempt is null"
    assert ask(told[1], undated) == []
    assert outcomes(told[1], "event_at, event_precision")["STU-2"] == (
        datetime(2026, 8, 31, 4, 59, 40),
        "instant",
    )


def test_what_two_reports_and_several_records_say_of_one_piece_of_work_counts_once(
    told: tuple[Project, Project],
) -> None:
    """A quiz is an assignment of the other report; without score and level nothing is a result."""
    results = (
        "select result_id, feed, score, percent, level, is_active from core.fct_assessment_result "
        "where source_id = 'canvas' and part = '310' and result_id < '4' order by all"
    )
    poster, kept = " | 1202 | assignment | 310 | ", (Decimal("3.2"), Decimal(80), "Mastery", True)
    assert ask(told[0], results) == [
        ("1 | STU-1 | 2201 | quiz | 310 | 7701", OUTCOMES, Decimal("2.6"), 65, "Mastery", True),
        ("10 | STU-10 | 1202 | 310", COMPETENCY, *kept),
        (f"2 | STU-2{poster}", OUTCOMES, *kept),
        (f"3 | STU-3{poster}", OUTCOMES, Decimal("3.2"), None, "Near", True),
    ]


def test_each_cell_of_a_gradebook_is_a_record(told: tuple[Project, Project]) -> None:
    """A blank cell is no zero, and an excused one no score; other lines are no students."""
    cells = (
        "select student_id, assignment_id, cell, score, points_possible, status, line_number "
        "from core.fct_canvas_score order by all"
    )
    assert ask(told[0], cells) == [
        ("1", "1201", "8.50", Decimal("8.5"), 10, "scored", 4),
        ("1", "1202", "1,018.50", Decimal("1018.5"), 20, "scored", 4),
        ("2", "1201", "EX", None, 10, "excused", 5),
        ("2", "1202", "0.00", 0, 20, "scored", 5),
        ("3", "1201", "N/A", None, 10, "not assigned", 6),
        ("3", "1202", None, None, 20, None, 6),
        ("4", "1201", "late", None, 10, "unreadable", 7),
        ("4", "1202", "7", 7, 20, "scored", 7),
    ]
    again = ask(told[1], cells)
    assert len(again) == len(ask(told[0], cells)) + 4
    assert [row[3:6] for row in again if row[:2] in (("1", "1202"), ("1", "1203"))] == [
        (Decimal("1018.5"), 20, "scored"),
        (1, None, "scored"),
    ]
    balance = (
        "select record_count, structural_count, rejected_count, accepted_count "
        "from reconciliation.recon_file_balance where is_balanced and source_id = 'gradebook' "
        "order by delivery_name"
    )
    assert ask(told[1], balance) == [(11, 3, 0, 8), (15, 3, 0, 12)]
    warned = "select line_number, column_name, code from audit.audit_record_warning where source_id"
    assert ask(told[0], f"{warned} = 'gradebook'") == [(7, "[cell]", "VALUE_UNKNOWN")]


def test_another_spelling_restates_no_score_and_a_score_that_is_gone_is_no_result(
    told: tuple[Project, Project],
) -> None:
    hashes = (
        "select score_key, result_hash, flag_hash, event_at from core.fct_canvas_score "
        "where student_id = '1' and assignment_id in ('1201', '1202') order by all"
    )
    for before, after in zip(*(ask(project, hashes) for project in told), strict=True):
        assert before[:2] == after[:2]
        assert before[2] != after[2]
        assert before[3] == after[3] == datetime(2026, 9, 1, 1)
    results = (
        "select student, part, percent, validity from (select split_part(result_id, ' ', 1) "
        "as student, * from core.fct_assessment_result where source_id = 'gradebook') order by all"
    )
    kept = [
        ("1", "1201", Decimal(85), "valid"),
        ("1", "1202", Decimal("5092.5"), "valid"),
        ("1", "1203", None, "valid"),
        ("2", "1201", None, "excused"),
        ("2", "1202", Decimal(0), "valid"),
        ("4", "1202", Decimal(35), "valid"),
    ]
    assert ask(told[0], results) == [row for row in kept if row[1] != "1203"]
    assert ask(told[1], results) == kept


def test_a_cell_is_traced_to_its_line(told: tuple[Project, Project]) -> None:
    done = told[1].run(
        "trace", "--table", "core.fct_canvas_score", "--key", "1 | 1201", "--source", "gradebook"
    )
    assert done.code == 0, done.out + done.err
    assert "Gradebook Math.csv" in done.out
    assert "line 4" in done.out


def test_the_roster_of_canvas_is_read_by_name_and_keeps_its_own_words(
    told: tuple[Project, Project],
) -> None:
    """An enrollment may name a section, a course or both; nobody is deleted by a status."""
    users = "select user_id, login_id, family_name, status, is_active from core.dim_canvas_user"
    assert ask(told[1], f"{users} order by all") == [
        ("0123", "jdoe", "Doe", "active", True),
        ("123", "jroe", "Roe", "suspended", True),
        ("124", "jpoe", "Poe", "gone", True),
    ]
    enrollments = (
        "select enrollment_id, role, status, inactive_reason from core.fct_canvas_enrollment "
        "order by all"
    )
    observers = [
        ("C | 9 | observer |  |  | 0123", "observer", "active", None),
        ("C | 9 | observer |  |  | 123", "observer", "active", None),
    ]
    for project, status, later in zip(
        told, ("active", "completed"), ("SEC-1", "SEC-2"), strict=True
    ):
        found = ask(project, enrollments)
        assert (f" | 0123 | student |  | {later} | ", "student", "active", None) in found
        assert ("C | 0123 | student |  | SEC-1 | ", "student", status, None) in found
        assert found[-2:] == observers
    gone = (" | 0123 | student |  | SEC-1 | ", "student", "active", "absent")
    assert gone in ask(told[1], enrollments)
    sections = (
        "select section_id, courses.start_at from core.dim_canvas_section as sections "
        "inner join core.dim_canvas_course as courses using (source_id, course_id) order by all"
    )
    begun = datetime(2026, 8, 1, 5)
    assert ask(told[1], sections) == [("SEC-1", begun), ("SEC-2", begun)]
    said = (
        "select distinct code, column_name from audit.{} where source_id = 'canvas_sis' "
        "order by all"
    )
    assert ask(told[1], said.format("audit_rejected_record")) == [
        ("REQUIRED_MISSING", "section_id"),
        ("REQUIRED_MISSING", "user_id"),
    ]
    assert ask(told[1], said.format("audit_record_warning")) == [("VALUE_UNKNOWN", "status")]


def test_a_report_that_says_that_there_is_nothing_has_come(told: tuple[Project, Project]) -> None:
    balance = (
        "select record_count, structural_count, accepted_count, is_balanced "
        "from reconciliation.recon_file_balance where source_id = 'canvas_of_old'"
    )
    assert ask(told[0], balance) == [(1, 1, 0, True)]


def test_headers_in_another_language_are_rejected_and_nothing_is_lost(
    told: tuple[Project, Project],
) -> None:
    """No column is guessed by its place, and each record is counted."""
    balance = "select source_id, is_balanced from reconciliation.recon_file_balance"
    assert ("canvas_of_old", False) not in ask(told[1], balance)
    assert told[1].ledger(
        "select file_name, verdict, code from landing.files where source_id = 'canvas_of_old' "
        "and verdict = 'rejected' order by all"
    ) == [
        ("Gradebook Math.csv", "rejected", "LAYOUT_UNKNOWN"),
        ("outcome_results.csv", "rejected", "LAYOUT_UNKNOWN"),
    ]


def test_what_a_state_makes_no_result_has_no_score_and_says_why(
    told: tuple[Project, Project],
) -> None:
    columns = "result_id, validity, validity_reason, is_on_roster, score, level"
    wholes = "from core.fct_assessment_result where source_id = 'colorado' and part is null"
    assert ask(told[1], f"select {columns} {wholes} order by result_id") == [
        ("t-1", "valid", None, True, 709, "2"),
        ("t-2", "not_tested", "excused by a parent", True, None, None),
        ("t-3", "void", "given wrongly", True, None, None),
        ("t-4", "invalidated", "Prohibited device", True, None, None),
        ("t-5", "suppressed", "schooled at home: on rosters and in no aggregate", True, None, None),
        (
            "t-6",
            "suppressed",
            "given wrongly: on no roster and in no aggregate",
            False,
            None,
            None,
        ),
        ("t-7", "suppressed", "09", False, None, None),
        ("t-8", "valid", None, True, 709, "2"),
    ]
    dispositions = (
        "select evidence_id, disposition from progression.fct_evidence "
        "where source_id = 'colorado' and kind = 'asserted_level' order by all"
    )
    assert [found for _, found in ask(told[1], dispositions)] == [
        "no_objective" if item in ("t-1", "t-8") else "not_valid"
        for item, _ in ask(told[1], dispositions)
    ]
    warned = "select code, column_name from audit.audit_record_warning where source_id = 'colorado'"
    assert {("VALUE_UNKNOWN", "ReportSuppressionAction"), ("VALUE_UNKNOWN", "PerfLVL")} == set(
        ask(told[1], warned)
    )


def test_what_a_state_only_numbers_or_leaves_out_a_seed_says(told: tuple[Project, Project]) -> None:
    """A slot means what it means in the year of the test; the day is in the file or in a seed."""
    columns = "part, percent, event_at, event_precision, data_year"
    of_tests = "core.fct_assessment_result where result_id in ('t-1', 't-8') order by all"
    ended, given = datetime(2023, 4, 24, 16, 0, 36), datetime(2026, 5, 1, 5)
    assert ask(told[1], f"select {columns} from {of_tests}") == [
        (part, percent, at, precision, 2023)
        for part, percent in (("Major Content", 32), ("Subclaim 2", 0), (None, None))
        for at, precision in ((ended, "instant"), (given, "date"))
    ]
    columns = "assessment, subject, part, score, level, validity, event_at, data_year"
    of_state = "core.fct_assessment_result where source_id = 'indiana'"
    day, earlier = datetime(2026, 5, 9, 5), datetime(2026, 2, 11, 6)
    maths, arts = "Mathematics", "English/Language Arts"
    below = "Below Proficiency"
    first = "ILEARN Checkpoint 1"
    assert ask(told[0], f"select {columns} from {of_state} order by all") == [
        ("ILEARN", arts, "Category 2", None, "Above", "valid", day, 2026),
        ("ILEARN", arts, None, 5300, below, "valid", day, 2026),
        ("ILEARN", "Science", None, None, None, "not_tested", day, 2026),
        (first, maths, "Category 1", None, "At/Near", "valid", earlier, 2026),
        (first, maths, None, 5400, below, "valid", earlier, 2026),
        ("IREAD-3", None, None, 446, "Pass", "valid", None, None),
    ]
    born = "select distinct birth_date from core.fct_ilearn_result"
    assert ask(told[1], born) == [(date(2018, 1, 1),)]


def test_flags_of_states_are_hashed_apart(told: tuple[Project, Project]) -> None:
    for table, key, is_restated in (
        ("fct_cmas_result", "assessment_id = 't-1'", False),
        ("fct_ilearn_result", "test_name like '%Checkpoint%'", True),
    ):
        hashes = f"select result_hash, flag_hash from core.{table} where {key}"
        [(result, flag)], [(later_result, later_flag)] = (ask(p, hashes) for p in told)
        assert (result != later_result, flag != later_flag) == (is_restated, True), table


def test_a_result_that_a_later_file_says_otherwise_is_restated_and_no_other(
    told: tuple[Project, Project],
) -> None:
    """Whole files and files that add alike; flags that flip, and spellings, restate nothing."""
    restated = (
        "select source_id, feed, split_part(record_key, ' | ', 2), score_before, score_after, "
        "record_number_before, record_number, cycle_id, file_id <> file_id_before "
        "from audit.audit_restated_result order by all"
    )
    assert ask(told[0], restated) == []
    checkpoint = "ILEARN Mathematics Grade 6 Checkpoint 1: Ratios"
    assert ask(told[1], restated) == [
        ("indiana", "state/in_ilearn", checkpoint, 5400, 5401, 1, 1, 2, True),
        ("iready", "iready/diagnostic_math", "2026-01-04", 424, 424, 1, 1, 2, True),
        ("map", RESULTS, "123", 208, 211, 2, 2, 2, True),
        ("map_delta", RESULTS, "123", 208, 211, 2, 2, 2, True),
    ]
    warned = "select source_id from audit.audit_record_warning where code = 'RESULT_RESTATED'"
    assert ask(told[1], f"{warned} order by all") == [
        (source_id,) for source_id in ("indiana", "iready", "map", "map_delta")
    ]


def test_a_file_of_another_school_year_waits_until_somebody_releases_it(
    told: tuple[Project, Project],
) -> None:
    [(detail,)] = told[0].ledger(LAST_YEAR.replace("file_id", "detail"))
    assert "all of them 2021-2022" in str(detail)
    assert "of 2026-2027" in str(detail)
    assert results(told[0], "data_year", "map_last_year") == {}
    assert results(told[1], "data_year", "map_last_year") == {"0123": (2022,)}


@pytest.mark.parametrize(
    ("begins", "day", "year"),
    [
        ("", date(2026, 9, 1), None),
        ("08-15", date(2026, 8, 14), 2026),
        ("08-15", date(2026, 8, 15), 2027),
        ("02-29", None, None),
        ("8-15", None, None),
    ],
)
def test_a_source_says_when_its_school_years_begin(
    begins: str, day: date | None, year: int | None, tmp_path: Path
) -> None:
    shutil.copytree(PROJECT_DIR / "seeds" / "contracts", tmp_path / "contracts")
    path = tmp_path / "contracts" / "sources.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], *(line + begins for line in lines[1:])]) + "\n")
    if day is None:
        with pytest.raises(ContractError, match="write MM-DD"):
            Contracts.load(path.parent)
    else:
        assert Contracts.load(path.parent).sources["sis"].school_year(day) == year


def test_a_row_is_traced_by_its_whole_key(told: tuple[Project, Project]) -> None:
    key = "Fall 2021-2022 | 0123 | Growth: Science 6+ TX 2017 | 2021-09-06 | 08:54:50"
    table = "core.fct_nwea_assessment_result"
    done = told[1].run("trace", "--table", table, "--key", key, "--source", "map")
    assert done.code == 0, done.out + done.err
    assert "AssessmentResults.csv" in done.out


@pytest.mark.long
def test_archive_and_ledger_give_every_table_again(told: tuple[Project, Project]) -> None:
    done = told[1].run("verify", "--replay")
    assert done.code == 0, done.out + done.err

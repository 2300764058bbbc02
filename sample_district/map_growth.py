"""What the assessment vendor of the sample exports: the tests of a fall, whole, on a few nights.

Elementary schools test in the last week of August, middle schools in the first of September. Each
export holds all tests of the term so far, and the students of the schools that have tested.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from sample_district.deliveries import Delivery, birthday, encoded
from sample_district.district import District, For, Person, grade_name, instant_of

_TERM = "Fall 2026-2027"
_DISTRICT = "Willow Bend School District"
_EXPORTED_ON = (2, 4, 5, 6, 7)
_HOUR = 13
_WINDOWS = {
    # kind of school: the night of the first export with its tests, the first day, how many days
    "elementary": (2, date(2026, 8, 24), 5),
    "middle": (4, date(2026, 9, 1), 3),
}
_SPANS = (
    *("FallToFall", "FallToWinter", "FallToSpring"),
    *("WinterToWinter", "WinterToSpring", "SpringToSpring"),
)
_GROWTH = (
    *("ProjectedGrowth", "ObservedGrowth", "ObservedGrowthSE", "MetProjectedGrowth"),
    *("ConditionalGrowthIndex", "ConditionalGrowthPercentile", "GrowthQuintile"),
)
_RESULT_COLUMNS = (
    *("TermName", "DistrictName", "District_StateID", "SchoolName", "School_StateID", "StudentID"),
    *("Student_StateID", "Subject", "Course", "GrowthMeasureYN", "NormsReferenceData"),
    *(
        f"WI{year}AY{term}"
        for year in ("Selected", "Previous")
        for term in ("Fall", "Winter", "Spring")
    ),
    *("TestType", "TestName", "TestID", "TestStartDate", "TestStartTime", "TestDurationMinutes"),
    *("TestRITScore", "TestStandardError", "TestPercentile", "AchievementQuintile"),
    *("PercentCorrect", "RapidGuessingPercentage"),
    *(f"{span}{what}" for span in _SPANS for what in _GROWTH),
    *("LexileScore", "LexileMin", "LexileMax", "QuantileScore", "QuantileMin", "QuantileMax"),
    *(
        f"Goal{number}{what}"
        for number in range(1, 9)
        for what in ("Name", "RitScore", "StdErr", "Range", "Adjective")
    ),
    *(f"Typical{span}Growth" for span in _SPANS),
    *(
        f"ProjectedProficiency{what}{number}"
        for number in range(1, 11)
        for what in ("Study", "Level")
    ),
)
_STUDENT_COLUMNS = (
    *("TermName", "DistrictName", "SchoolName", "StudentLastName", "StudentFirstName", "StudentMI"),
    *("StudentID", "StudentDateOfBirth", "StudentEthnicGroup", "StudentGender", "Grade"),
)
_QUINTILES = ("Low", "LoAvg", "Avg", "HiAvg", "High")


@dataclass(frozen=True, slots=True)
class _Test:
    """A test that every student of a grade takes: its place in a day, subject and goal areas."""

    place: int
    subject: str
    name: str
    goals: tuple[str, ...]


_TESTS = (
    _Test(0, "Mathematics", "Math", ("Number and Operations", "Geometry", "Measurement and Data")),
    _Test(1, "Language Arts", "Reading", ("Literary Text", "Informational Text", "Vocabulary")),
)


def map_deliveries(district: District, night: int) -> Iterator[Delivery]:
    """Yield what the vendor exports at 13:00 UTC of a night, as a folder; nothing on most."""
    students = [
        person
        for person in district.students.values()
        if person.school.kind in _WINDOWS and _WINDOWS[person.school.kind][0] <= night
    ]
    if night in _EXPORTED_ON and students:
        files: dict[str, Iterable[bytes]] = {
            "AssessmentResults.csv": encoded(
                ",".join(_RESULT_COLUMNS),
                (_results(district, students, test) for test in _TESTS),
            ),
            "StudentsBySchool.csv": encoded(
                ",".join(_STUDENT_COLUMNS), [_listings(district, students)]
            ),
        }
        yield Delivery("map", instant_of(night, _HOUR), "folder", files, (night,))


def _results(district: District, students: list[Person], test: _Test) -> str:
    """Format one test of every student: ability decides, with the day's luck."""
    numbers = [person.number for person in students]
    draws = district.draws
    abilities = draws.share(numbers, For.ABILITY).tolist()
    lucks = draws.below(9, numbers, For.RIT, test.place).tolist()
    return "".join(
        _result(person, test, ability, luck - 4)
        for person, ability, luck in zip(students, abilities, lucks, strict=True)
    )


def _result(person: Person, test: _Test, ability: float, luck: int) -> str:
    _, first_day, days = _WINDOWS[person.school.kind]
    grade = 0 if person.grade == "KG" else int(person.grade)
    score = 172 + 6 * grade + round(30 * ability) + luck
    percentile = min(99, max(1, round(100 * ability) + 2 * luck))
    minute = person.number * 7 % 60
    row = {
        "TermName": _TERM,
        "DistrictName": _DISTRICT,
        "SchoolName": person.school.name,
        "StudentID": _student_id(person),
        "Subject": test.subject,
        "Course": f"{test.name} K-12",
        "GrowthMeasureYN": "TRUE",
        "NormsReferenceData": "2025",
        "WISelectedAYFall": "4",
        "TestType": "Survey With Goals",
        "TestName": f"Growth: {test.name} {'K-2' if grade < 2 else '2-5' if grade < 6 else '6+'}",
        "TestID": f"7{person.number:07d}{test.place}",
        "TestStartDate": f"{first_day + timedelta(days=person.number % days):%m/%d/%Y}",
        "TestStartTime": f"{9 + test.place:02d}:{minute:02d}:00",
        "TestDurationMinutes": str(40 + minute // 3),
        "TestRITScore": str(score),
        "TestStandardError": f"{3 + luck % 5 / 10:.1f}",
        "TestPercentile": str(percentile),
        "AchievementQuintile": _quintile(percentile),
        "PercentCorrect": str(50 + luck),
    }
    for number, name in enumerate(test.goals, start=1):
        row[f"Goal{number}Name"] = name
        row[f"Goal{number}RitScore"] = str(score + number - 2)
        row[f"Goal{number}StdErr"] = "5.2"
        row[f"Goal{number}Range"] = f"{score + number - 7}-{score + number + 3}"
        row[f"Goal{number}Adjective"] = _quintile(percentile + 6 * (number - 2))
    return ",".join(row.get(column, "") for column in _RESULT_COLUMNS) + "\n"


def _quintile(percentile: int) -> str:
    return _QUINTILES[min(4, max(0, (percentile - 1) // 20))]


def _listings(district: District, students: list[Person]) -> str:
    numbers = [person.number for person in students]
    rows = zip(
        students,
        district.draws.below(365, numbers, For.BIRTHDAY).tolist(),
        district.draws.below(2, numbers, For.SEX).tolist(),
        strict=True,
    )
    return "".join(
        f"{_TERM},{_DISTRICT},{person.school.name},{person.family_name},{person.given_name},,"
        f"{_student_id(person)},{birthday(person.grade, day):%m/%d/%Y},,{'MF'[sex]},"
        f"{grade_name(person.grade)}\n"
        for person, day, sex in rows
    )


def _student_id(person: Person) -> str:
    """Return the student number, which the roster has as `identifier`."""
    return f"0{person.number:06d}"

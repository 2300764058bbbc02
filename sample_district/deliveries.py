"""What the systems of a made-up district export on a night.

`sis` sends the whole roster (OneRoster 1.1, bulk), `lms` what changed in the gradebook (OneRoster
1.2.1, delta). Rows are made class by class while they are written, so that files may be of any
size.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from sample_district.district import (
    FIRST_NIGHT,
    SPRING_START,
    SUBJECTS,
    YEAR_END,
    YEAR_START,
    Classroom,
    District,
    Draws,
    For,
    Person,
    grade_name,
    instant_of,
    night_date,
)

SIS_HEADERS = {
    "manifest.csv": "propertyName,value",
    "academicSessions.csv": "sourcedId,status,dateLastModified,title,type,startDate,endDate,"
    "parentSourcedId,schoolYear",
    "orgs.csv": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId",
    "courses.csv": "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,"
    "orgSourcedId,subjects,subjectCodes",
    "classes.csv": "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,"
    "classType,location,schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods",
    "users.csv": "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,"
    "userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,"
    "password",
    "enrollments.csv": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,"
    "userSourcedId,role,primary,beginDate,endDate",
    "demographics.csv": "sourcedId,status,dateLastModified,birthDate,sex,"
    "americanIndianOrAlaskaNative,asian,blackOrAfricanAmerican,"
    "nativeHawaiianOrOtherPacificIslander,white,demographicRaceTwoOrMoreRaces,"
    "hispanicOrLatinoEthnicity,countryOfBirthCode,stateOfBirthAbbreviation,cityOfBirth,"
    "publicSchoolResidenceStatus",
}
LMS_HEADERS = {
    "manifest.csv": "propertyName,value",
    "categories.csv": "sourcedId,status,dateLastModified,title,weight",
    "lineItems.csv": "sourcedId,status,dateLastModified,title,description,assignDate,dueDate,"
    "classSourcedId,categorySourcedId,academicSessionSourcedId,resultValueMin,resultValueMax,"
    "schoolSourcedId",
    "lineItemLearningObjectiveIds.csv": "sourcedId,status,dateLastModified,lineItemSourcedId,"
    "source,learningObjectiveId",
    "results.csv": "sourcedId,status,dateLastModified,lineItemSourcedId,studentSourcedId,"
    "scoreStatus,score,scoreDate,comment,textScore,classSourcedId,inProgress,incomplete,late,"
    "missing",
    "resultLearningObjectiveIds.csv": "sourcedId,status,dateLastModified,resultSourcedId,source,"
    "learningObjectiveId,score,textScore",
}
_SIS_ANNOUNCED = (
    "academicSessions", "categories", "classes", "classResources", "courses", "courseResources",
    "demographics", "enrollments", "lineItems", "orgs", "resources", "results", "users",
)  # fmt: skip
_LMS_ANNOUNCED = (
    "academicSessions", "categories", "classes", "classResources", "courses", "courseResources",
    "demographics", "enrollments", "lineItemLearningObjectiveIds", "lineItems",
    "lineItemScoreScales", "orgs", "resources", "resultLearningObjectiveIds", "results",
    "resultScoreScales", "roles", "scoreScales", "userProfiles", "userResources", "users",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of graded work: what its scores run to and how much it weighs, in percent."""

    title: str
    score_max: int
    weight: int


_CITIES = ("Willow Bend", "Cedar Flats", "Stone Harbor")
_STATES = ("CO", "TX", "CA", "NM", "")
CATEGORIES = (
    Category("Homework", 10, 20),
    Category("Quiz", 20, 30),
    Category("Project", 20, 20),
    Category("Test", 100, 30),
)
_QUIZ = 1
_BACKLOG_ITEMS = 5
_ITEMS_PER_OBJECTIVE = 3


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a source hands over at one export boundary, and in which nights' inboxes it lies.

    `container` is zip, folder or csv (then there is one file, named after the boundary as well).
    The blocks of a file are made while it is written. Of a zip that is cut short, the first
    `kept_percent` of its bytes arrive.
    """

    source_id: str
    boundary: datetime
    container: str
    files: dict[str, Iterable[bytes]]
    arrivals: tuple[int, ...]
    kept_percent: int = 100

    @property
    def name(self) -> str:
        """The name in the inbox; it begins with the export time."""
        stamp = f"{self.boundary:%Y-%m-%dT%H%M%SZ}"
        if self.container == "csv":
            return f"{stamp}_{next(iter(self.files))}"
        return f"{stamp}.zip" if self.container == "zip" else stamp


# ---------------------------------------------------------------- sis: the roster, whole


def sis_delivery(district: District, night: int) -> Delivery:
    """Return the roster of a night as the student information system exports it at 01:00 UTC."""
    rows = {
        "academicSessions.csv": _academic_sessions(),
        "orgs.csv": _orgs(district),
        "courses.csv": _courses(district),
        "classes.csv": _classes(district),
        "users.csv": _users(district),
        "enrollments.csv": _enrollments(district),
        "demographics.csv": _demographics(district),
    }
    files: dict[str, Iterable[bytes]] = {"manifest.csv": [manifest_of("sis", list(rows))]}
    files |= {name: encoded(SIS_HEADERS[name], blocks) for name, blocks in rows.items()}
    return Delivery("sis", instant_of(night, 1), "zip", files, (night,))


def manifest_of(source_id: str, file_names: Sequence[str]) -> bytes:
    """Return the manifest of a package that holds these files: bulk from sis, delta from lms."""
    if source_id == "sis":
        return _manifest("1.1", "Sample SIS", _SIS_ANNOUNCED, file_names, "bulk")
    return _manifest("1.2.1", "Sample LMS", _LMS_ANNOUNCED, file_names, "delta")


def _manifest(
    version: str, system: str, announced: Sequence[str], file_names: Sequence[str], mode: str
) -> bytes:
    lines = ["propertyName,value", "manifest.version,1.0", f"oneroster.version,{version}"]
    lines += [
        f"file.{name},{mode if f'{name}.csv' in file_names else 'absent'}" for name in announced
    ]
    lines += [f"source.systemName,{system}", "source.systemCode,sample"]
    return ("\n".join(lines) + "\n").encode()


def encoded(header: str, blocks: Iterable[str]) -> Iterator[bytes]:
    """Yield a file: its header, then its blocks while they are made."""
    yield f"{header}\n".encode()
    for block in blocks:
        yield block.encode()


def _academic_sessions() -> Iterator[str]:
    year, fall, spring = YEAR_START, "TERM-2026-FALL", "TERM-2027-SPRING"
    yield (
        f"YEAR-2027,,,School Year 2026-27,schoolYear,{year},{YEAR_END},,2027\n"
        f"{fall},,,Fall 2026,semester,{year},2026-12-19,YEAR-2027,2027\n"
        f"{spring},,,Spring 2027,semester,{SPRING_START},{YEAR_END},YEAR-2027,2027\n"
    )


def _orgs(district: District) -> Iterator[str]:
    yield "DISTRICT-1,,,Willow Bend School District,district,0100,\n"
    for school in district.schools:
        yield f"{school.org_id},,,{school.name},school,{100 + school.number:04d},DISTRICT-1\n"


def _courses(district: District) -> Iterator[str]:
    for grade in sorted({room.grade for room in district.classrooms}):
        for subject in SUBJECTS:
            yield (
                f"CRS-{subject.code}-{grade},,,YEAR-2027,{subject.title} {grade_name(grade)},"
                f"{subject.code}{grade},{grade},DISTRICT-1,{subject.title},\n"
            )


def _classes(district: District) -> Iterator[str]:
    for room in district.classrooms:
        yield (
            f"{room.class_id},,,{room.title},{room.grade},{room.course_id},"
            f"{room.subject.code}{room.grade}-{room.section},scheduled,"
            f"Room {100 + room.teacher % 80},{room.school.org_id},"
            f'"TERM-2026-FALL,TERM-2027-SPRING",{room.subject.title},,{room.number % 7 + 1}\n'
        )


def _users(district: District) -> Iterator[str]:
    for person in district.teachers.values():
        yield (
            f"TE-{person.number:05d},,,true,{person.school.org_id},teacher,{person.login},,"
            f"{person.given_name},{person.family_name},,90{person.number:05d},"
            f"{person.login}@staff.example.org,,,,,\n"
        )
    for person in district.students.values():
        yield (
            f"ST-{person.number:06d},,,true,{person.school.org_id},student,{person.login},,"
            f"{person.given_name},{person.family_name},,0{person.number:06d},"
            f"{person.login}@students.example.org,,,,{person.grade},\n"
        )


def _enrollments(district: District) -> Iterator[str]:
    for room in district.classrooms:
        place = f"{room.class_id},{room.school.org_id}"
        rows = [
            f"EN-{room.number:05d}-T{room.teacher:05d},,,{place},TE-{room.teacher:05d},teacher,"
            f"true,{YEAR_START},{YEAR_END}\n"
        ]
        rows += [
            f"EN-{room.number:05d}-{number:06d},,,{place},ST-{number:06d},student,,"
            f"{room.began.get(number, YEAR_START)},{YEAR_END}\n"
            for number in room.roster
        ]
        yield "".join(rows)


def _demographics(district: District) -> Iterator[str]:
    people = list(district.students.values())
    for start in range(0, len(people), 10_000):
        yield _demographics_block(district.draws, people[start : start + 10_000])


def _demographics_block(draws: Draws, people: list[Person]) -> str:
    numbers = [person.number for person in people]
    columns = zip(
        people,
        draws.below(365, numbers, For.BIRTHDAY).tolist(),
        draws.below(2, numbers, For.SEX).tolist(),
        draws.below(16, numbers, For.RACE).tolist(),
        (draws.share(numbers, For.HISPANIC) < 0.3).tolist(),
        draws.below(12, numbers, For.BIRTHPLACE).tolist(),
        strict=True,
    )
    return "".join(
        f"ST-{person.number:06d},,,{birthday(person.grade, day)},{('male', 'female')[sex]},"
        f"{_RACE_FLAGS[race]},{'true' if is_hispanic else 'false'},{_birthplace(place)},\n"
        for person, day, sex, race, is_hispanic, place in columns
    )


def birthday(grade: str, day: int) -> date:
    """Return a birthday that fits the grade: five years old in kindergarten, on the first night."""
    years_at_school = 0 if grade == "KG" else int(grade)
    return FIRST_NIGHT.replace(year=FIRST_NIGHT.year - 5 - years_at_school) - timedelta(days=day)


def _race_flags(draw: int) -> str:
    """Return the six race columns for a draw below 16: mostly one race, for some two."""
    chosen = {draw % 5} if draw < 14 else {1, 4}
    flags = ["true" if race in chosen else "false" for race in range(5)]
    return ",".join([*flags, "true" if len(chosen) > 1 else "false"])


_RACE_FLAGS = tuple(_race_flags(draw) for draw in range(16))


def _birthplace(draw: int) -> str:
    if draw == 0:
        return ",,"
    return f"US,{_STATES[draw % len(_STATES)]},{_CITIES[draw % len(_CITIES)]}"


# ---------------------------------------------------------------- lms: line items of a class


def newest_item(classroom: int, night: int) -> int:
    """Return the number of the newest line item of a class on a night.

    The first night brings five items of the weeks before. From then on classes take turns: those
    of even number get one on every even night, the others on every odd night after the third.
    """
    turns = night // 2 if classroom % 2 == 0 else max(0, (night - 3) // 2)
    return _BACKLOG_ITEMS - 1 + turns


def new_items(classroom: int, night: int) -> range:
    """Return the numbers of the line items that a class gets on a night."""
    first = 0 if night == 1 else newest_item(classroom, night - 1) + 1
    return range(first, newest_item(classroom, night) + 1)


def _assigned_and_scored(classroom: int, item: int) -> tuple[date, date, date]:
    """Return the days on which an item is assigned, due and scored."""
    turns = item - _BACKLOG_ITEMS + 1
    if turns <= 0:
        assigned = YEAR_START + timedelta(days=5 * item + classroom % 3)
        return assigned, assigned + timedelta(days=4), assigned + timedelta(days=5)
    day = night_date(2 * turns if classroom % 2 == 0 else 2 * turns + 3)
    return day, day, day


def _category_of(item: int) -> int:
    return (0, _QUIZ, 2, 3)[item % len(CATEGORIES)]


def objectives_of(room: Classroom, item: int) -> tuple[str, ...]:
    """Return the learning objectives of an item: one, for later quizzes two, for some none."""
    domains = room.subject.domains.get(room.school.kind)
    if not domains or (room.subject.code == "ELA" and item % 4 == 2):
        return ()
    step = item // _ITEMS_PER_OBJECTIVE
    steps = [step, step - 1] if step and _category_of(item) == _QUIZ else [step]
    grade = grade_name(room.grade)
    return tuple(
        f"{room.subject.code}.{grade}.{domains[s % len(domains)]}.{s // len(domains) + 1}"
        for s in steps
    )


# ---------------------------------------------------------------- lms: what the gradebook exports


def lms_delivery(district: District, night: int) -> Delivery:
    """Return what changed in the gradebook by 16:00 UTC of a night.

    The platform works with the roster of the night before, so it is called before `advance`. A
    folder on most nights, a zip on every fourth; on night 3 there are only scores: one loose CSV.
    """
    rows: dict[str, Iterable[str]] = {"results.csv": _results(district, night)}
    if any(new_items(room.number, night) for room in district.classrooms[:2]):
        rows["lineItems.csv"] = _line_items(district, night)
        rows["lineItemLearningObjectiveIds.csv"] = _alignments(district, night)
    if night == 1:
        rows["categories.csv"] = _categories()
    if any(_is_scored_by_part(room, night) for room in district.classrooms):
        rows["resultLearningObjectiveIds.csv"] = _part_scores(district, night)
    files: dict[str, Iterable[bytes]] = {
        name: encoded(LMS_HEADERS[name], rows[name]) for name in sorted(rows)
    }
    if list(rows) == ["results.csv"]:
        return Delivery("lms", instant_of(night, 16), "csv", files, (night,))
    files["manifest.csv"] = [manifest_of("lms", list(rows))]
    container = "zip" if night % 4 == 0 else "folder"
    return Delivery("lms", instant_of(night, 16), container, files, (night,))


def _categories() -> Iterator[str]:
    for number, category in enumerate(CATEGORIES, start=1):
        yield (
            f"CAT-{number},active,{YEAR_START}T13:00:00.000Z,{category.title},{category.weight}\n"
        )


def _line_items(district: District, night: int) -> Iterator[str]:
    for room in district.classrooms:
        for item in new_items(room.number, night):
            assigned, due, _ = _assigned_and_scored(room.number, item)
            category = _category_of(item)
            term = "TERM-2026-FALL" if due < SPRING_START else "TERM-2027-SPRING"
            description = (
                f'"Chapters {item + 1} and {item + 2}, closed book"' if category == 3 else ""
            )
            yield (
                f"LI-{room.number:05d}-{item:02d},active,{assigned}T13:10:00.000Z,"
                f"{CATEGORIES[category].title} {item // len(CATEGORIES) + 1},{description},"
                f"{assigned},{due},{room.class_id},CAT-{category + 1},{term},0,"
                f"{CATEGORIES[category].score_max},{room.school.org_id}\n"
            )


def _alignments(district: District, night: int) -> Iterator[str]:
    for room in district.classrooms:
        for item in new_items(room.number, night):
            assigned, _, _ = _assigned_and_scored(room.number, item)
            for number, objective in enumerate(objectives_of(room, item), start=1):
                yield (
                    f"LO-{room.number:05d}-{item:02d}-{number},active,{assigned}T13:10:00.000Z,"
                    f"LI-{room.number:05d}-{item:02d},unknown,{objective}\n"
                )


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How a piece of work ended: its scoreStatus, whether it has a score, and its four flags."""

    status: str
    has_score: bool
    flags: str


_OUTCOMES = (
    _Outcome("fully graded", True, "false,false,false,false"),
    _Outcome("fully graded", True, "false,false,true,false"),
    _Outcome("partially graded", True, "true,false,false,false"),
    _Outcome("exempt", False, "false,false,false,false"),
    _Outcome("not submitted", False, "false,false,false,true"),
)
_LATE, _NOT_SUBMITTED = 1, 4
_OUTCOME_BOUNDS = np.array([0.90, 0.93, 0.95, 0.965])
_HALF_POINTS = tuple(f"{halves / 2:g}" for halves in range(201))
_SCORED_MINUTES = tuple(f"{14 + minute // 60}:{minute % 60:02d}" for minute in range(120))
_COMMENTS = tuple(
    {11: "Good work", 47: "Please show your steps", 83: "Très bien"}.get(minute, "")
    for minute in range(120)
)


@dataclass(frozen=True, slots=True)
class _Scores:
    """Drawn outcomes of one item, one entry per student of the roster."""

    numbers: NDArray[np.int64]
    half_points: NDArray[np.int64]
    outcomes: NDArray[np.int64]


def _draw_scores(draws: Draws, room: Classroom, item: int, raised_by: int = 0) -> _Scores:
    """Draw how each student of a class did: ability that grows by the week, and the day's luck."""
    numbers = np.array(room.roster, dtype=np.int64)
    weeks = (_assigned_and_scored(room.number, item)[2] - YEAR_START).days / 7
    ability = 0.5 + 0.42 * draws.share(numbers, For.ABILITY)
    growth = 0.02 * draws.share(numbers, For.GROWTH)
    luck = draws.share(numbers, For.SCORE, room.number, item) - 0.5
    fraction = ability + growth * weeks + 0.3 * luck
    score_max = CATEGORIES[_category_of(item)].score_max
    step = 2 if score_max == 100 else 1
    halves = np.floor(fraction * (2 * score_max // step) + 0.5).astype(np.int64) * step + raised_by
    chance = draws.share(numbers, For.STATUS, room.number, item)
    return _Scores(
        numbers,
        np.clip(halves, 0, 2 * score_max),
        np.searchsorted(_OUTCOME_BOUNDS, chance, side="right"),
    )


def _results(district: District, night: int) -> Iterator[str]:
    for room in district.classrooms:
        items = new_items(room.number, night)
        if items:
            yield "".join(_first_scores(district.draws, room, item) for item in items)
        else:
            yield _revised_scores(district.draws, room, night)


def _first_scores(draws: Draws, room: Classroom, item: int) -> str:
    """Return the results of a new item."""
    _, due, scored = _assigned_and_scored(room.number, item)
    return _result_rows(room, item, _draw_scores(draws, room, item), scored, due)


def _revised_scores(draws: Draws, room: Classroom, night: int) -> str:
    """Return what changes for a class' newest item: work handed in late, a whole class regraded."""
    item = newest_item(room.number, night)
    day = night_date(night)
    scores = _draw_scores(draws, room, item)
    is_absent = scores.outcomes == _NOT_SUBMITTED
    is_made_up = is_absent & (draws.share(scores.numbers, For.MAKEUP, night, item) < 0.5)
    late = np.full_like(scores.outcomes, _LATE)
    rows = _result_rows(
        room, item, _Scores(scores.numbers, scores.half_points, late), day, day, is_made_up
    )
    if (room.number + night) % 8 == 1:
        due = _assigned_and_scored(room.number, item)[1]
        raise_by = 2 * CATEGORIES[_category_of(item)].score_max // 10
        raised = _draw_scores(draws, room, item, raise_by)
        rows += _result_rows(room, item, raised, day, due, raised.outcomes < 3)
    return rows


def _result_rows(
    room: Classroom,
    item: int,
    scores: _Scores,
    modified: date,
    score_date: date,
    chosen: NDArray[np.bool_] | None = None,
) -> str:
    """Format results of one item: of all students, or of the chosen ones."""
    minutes = (scores.numbers * 7 + item * 13) % len(_SCORED_MINUTES)
    columns = [scores.numbers, scores.half_points, scores.outcomes, minutes]
    if chosen is not None:
        columns = [column[chosen] for column in columns]
    key = f"{room.number:05d}-{item:02d}"
    before = f",active,{modified}T"
    middle = f":00.000Z,LI-{key},ST-"
    after = f",{score_date},"
    class_id = room.class_id
    rows = []
    for number, halves, code, minute in zip(*(c.tolist() for c in columns), strict=True):
        outcome = _OUTCOMES[code]
        student = f"{number:06d}"
        rows.append(
            f"RS-{key}-{student}{before}{_SCORED_MINUTES[minute]}{middle}{student},"
            f"{outcome.status},{_HALF_POINTS[halves] if outcome.has_score else ''}{after}"
            f"{_COMMENTS[minute]},,{class_id},{outcome.flags}\n"
        )
    return "".join(rows)


def _is_scored_by_part(room: Classroom, night: int) -> bool:
    """Whether a class gets a quiz on a night that is scored objective by objective."""
    return night > 1 and any(_parts(room, item) for item in new_items(room.number, night))


def _parts(room: Classroom, item: int) -> tuple[str, ...]:
    objectives = objectives_of(room, item)
    return objectives if room.subject.code == "MATH" and len(objectives) > 1 else ()


def _part_scores(district: District, night: int) -> Iterator[str]:
    for room in district.classrooms:
        for item in new_items(room.number, night):
            for part, objective in enumerate(_parts(room, item), start=1):
                yield _part_rows(district.draws, room, item, part, objective)


def _part_rows(draws: Draws, room: Classroom, item: int, part: int, objective: str) -> str:
    """Format the scores of one objective of an item, a little above or below the whole."""
    scores = _draw_scores(draws, room, item)
    score_max = CATEGORIES[_category_of(item)].score_max
    luck = draws.below(5, scores.numbers, For.PART, room.number, item, part) - 2
    halves = np.clip(scores.half_points + luck, 0, 2 * score_max)
    day = _assigned_and_scored(room.number, item)[2]
    key = f"{room.number:05d}-{item:02d}"
    return "".join(
        f"RO-{key}-{number:06d}-{part},active,{day}T15:59:00.000Z,RS-{key}-{number:06d},unknown,"
        f"{objective},{_HALF_POINTS[half]},\n"
        for number, half, code in zip(
            scores.numbers.tolist(), halves.tolist(), scores.outcomes.tolist(), strict=True
        )
        if _OUTCOMES[code].has_score
    )

"""A made-up district: its schools, classes and people, and what changes from night to night.

Every draw is a function of the seed and of what it is drawn for. So nothing has to be kept for its
own sake: any score can be drawn again on any night.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

YEAR_START = date(2026, 8, 3)
SPRING_START = date(2027, 1, 5)
YEAR_END = date(2027, 5, 29)
FIRST_NIGHT = date(2026, 9, 1)
MAX_NIGHTS = (YEAR_END - FIRST_NIGHT).days
MIN_STUDENTS = 12

_GIVEN_NAMES = (
    "Aaliyah", "Adam", "Aisha", "Alejandro", "Amelia", "Amir", "Ana", "Anders", "Ángel", "Beatriz",
    "Benjamin", "Björn", "Caleb", "Chloé", "Clara", "Daniel", "Dmitri", "Elena", "Eli", "Emma",
    "Fatima", "Felix", "Gabriela", "George", "Grace", "Hana", "Hannah", "Héctor", "Ibrahim", "Inés",
    "Isaac", "Jamal", "Jasmine", "Jin", "Jonas", "José", "Julia", "Kai", "Keisha", "Khalid",
    "Leila", "Liam", "Lucía", "Lin", "Malik", "Maria", "Mateo", "Mei", "Nadia", "Noah", "Nora",
    "Oliver", "Priya", "Quinn", "Rafael", "Renée", "Rosa", "Samuel", "Sofia", "Tariq", "Thảo",
    "Uma", "Victor", "Wei", "Yusuf", "Zoë",
)  # fmt: skip
_FAMILY_NAMES = (
    "Abbott", "Ahmed", "Andersen", "Baker", "Begay", "Bennett", "Brown", "Carter", "Castillo",
    "Chen", "Cohen", "Collins", "D'Angelo", "Davis", "De La Cruz", "Díaz", "Dubois", "Edwards",
    "Evans", "Fernández", "Fischer", "Foster", "García", "Gonçalves", "Green", "Gutiérrez", "Hall",
    "Haddad", "Harris", "Hernández", "Ivanova", "Jackson", "Johnson", "Kealoha", "Kim", "King",
    "Kowalski", "Lee", "Lewis", "López", "Martin", "Mitchell", "Moore", "Müller", "Murphy",
    "Nakamura", "Nguyễn", "Novak", "O'Brien", "Okafor", "Park", "Patel", "Peña", "Phillips",
    "Reyes", "Roberts", "Rossi", "Schäfer", "Silva", "Singh", "Smith-Jones", "Takahashi", "Taylor",
    "Thompson", "Trần", "van Dijk", "Walker", "Williams", "Wright", "Young", "Zhang",
)  # fmt: skip
_SCHOOL_NAMES = (
    "Alder Creek", "Birchwood", "Canyon View", "Dogwood", "Eagle Ridge", "Fern Hollow",
    "Granite Falls", "Harbor", "Ironwood", "Juniper",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject: its code, title, and the domains of its learning objectives by grade band."""

    code: str
    title: str
    domains: dict[str, tuple[str, ...]]


_LETTERS = ("RL", "RI", "W", "SL", "L")
_SCIENCES = ("PS", "LS", "ESS", "ETS")
SUBJECTS = (
    Subject(
        "MATH",
        "Mathematics",
        {
            "elementary": ("OA", "NBT", "NF", "MD", "G"),
            "middle": ("RP", "NS", "EE", "G", "SP"),
            "high": ("A", "F", "G", "N", "S"),
        },
    ),
    Subject(
        "ELA", "English Language Arts", dict.fromkeys(("elementary", "middle", "high"), _LETTERS)
    ),
    Subject("SCI", "Science", dict.fromkeys(("elementary", "middle", "high"), _SCIENCES)),
    Subject("SOC", "Social Studies", {}),
)
_GRADES = {
    # in the order in which a growing school opens them
    "elementary": ("05", "04", "03", "02", "01", "KG"),
    "middle": ("06", "07", "08"),
    "high": ("09", "10", "11", "12"),
}
_KINDS = ("elementary", "middle", "high", "elementary")
_STUDENTS_PER_SCHOOL = 400
_STUDENTS_PER_GRADE = 20
_STUDENTS_PER_SECTION = 25
_CLASSES_PER_TEACHER = 4


class For(IntEnum):
    """What a draw is for; numbers never change, so that a district stays the same."""

    GIVEN_NAME = 1
    FAMILY_NAME = 2
    BIRTHDAY = 3
    SEX = 4
    RACE = 5
    HISPANIC = 6
    BIRTHPLACE = 7
    ABILITY = 8
    GROWTH = 9
    SCORE = 10
    STATUS = 11
    MAKEUP = 12
    CHANGE = 13
    PART = 14
    RIT = 15


_MASK = (1 << 64) - 1
_STEP, _SCATTER, _SCATTER_AGAIN = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


class Draws:
    """Random numbers that depend on the seed and on what they are drawn for, never on order.

    Bits are scattered by splitmix64: integer arithmetic only, equal on every machine.
    """

    def __init__(self, seed: int) -> None:
        self._seed = _scattered(seed & _MASK)

    def share(self, numbers: Sequence[int] | NDArray[np.int64], *about: int) -> NDArray[np.float64]:
        """Draw from 0 (included) to 1 (excluded) for each number; `about` says what for."""
        state = np.asarray(numbers, dtype=np.uint64) ^ np.uint64(self._state(about))
        state += np.uint64(_STEP)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(_SCATTER)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(_SCATTER_AGAIN)
        return ((state ^ (state >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def below(
        self, limit: int, numbers: Sequence[int] | NDArray[np.int64], *about: int
    ) -> NDArray[np.int64]:
        """Draw whole numbers from 0 to `limit` - 1, one for each number."""
        return (self.share(numbers, *about) * limit).astype(np.int64)

    def one_below(self, limit: int, *about: int) -> int:
        """Draw a single whole number from 0 to `limit` - 1."""
        return self._state(about) % limit

    def _state(self, about: tuple[int, ...]) -> int:
        state = self._seed
        for key in about:
            state = _scattered(state ^ key)
        return state


def _scattered(state: int) -> int:
    state = (state + _STEP) & _MASK
    state = ((state ^ (state >> 30)) * _SCATTER) & _MASK
    state = ((state ^ (state >> 27)) * _SCATTER_AGAIN) & _MASK
    return state ^ (state >> 31)


@dataclass(frozen=True, slots=True)
class School:
    """A school; `number` counts from 1."""

    number: int
    name: str
    kind: str
    grades: tuple[str, ...]

    @property
    def org_id(self) -> str:
        """Its sourcedId."""
        return f"ORG-{self.number}"


@dataclass(frozen=True, slots=True)
class Person:
    """A student or a teacher; `grade` is blank for teachers."""

    number: int
    given_name: str
    family_name: str
    login: str
    school: School
    grade: str


@dataclass(slots=True)
class Classroom:
    """A class: one section of a course at a school, with the numbers of its students.

    `began` holds the first day of those who came after the start of the year.
    """

    number: int
    school: School
    grade: str
    subject: Subject
    section: int
    title: str
    teacher: int
    roster: list[int] = field(default_factory=list)
    began: dict[int, date] = field(default_factory=dict)

    @property
    def class_id(self) -> str:
        """Its sourcedId."""
        return f"CL-{self.number:05d}"

    @property
    def course_id(self) -> str:
        """The sourcedId of its course."""
        return f"CRS-{self.subject.code}-{self.grade}"


class District:
    """A district as it stands on one night; `advance` brings it to the next."""

    def __init__(self, students: int, seed: int) -> None:
        self.draws = Draws(seed)
        self.schools = _make_schools(students)
        self.students: dict[int, Person] = {}
        self._last_student = 0
        self.teachers: dict[int, Person] = {}
        self.classrooms: list[Classroom] = []
        self._by_grade: dict[tuple[int, str], list[Classroom]] = {}
        self._changes_per_night = max(1, students // 1000)
        for school in self.schools:
            sizes = _split(students, len(self.schools))
            self._open_school(school, sizes[school.number - 1])

    def _open_school(self, school: School, size: int) -> None:
        for grade, grade_size in zip(school.grades, _split(size, len(school.grades)), strict=True):
            self._open_classes(school, grade, grade_size)
            for person in self._make_students(school, grade, grade_size):
                self._enroll(person, None)

    def _open_classes(self, school: School, grade: str, size: int) -> None:
        sections = max(2, round(size / _STUDENTS_PER_SECTION))
        classrooms = self._by_grade.setdefault((school.number, grade), [])
        for subject in SUBJECTS:
            for section in range(1, sections + 1):
                if len(classrooms) % _CLASSES_PER_TEACHER == 0:
                    teacher = self._make_teacher(school)
                classrooms.append(
                    Classroom(
                        number=len(self.classrooms) + 1,
                        school=school,
                        grade=grade,
                        subject=subject,
                        section=section,
                        title=f"{subject.title} {grade_name(grade)} - Section {section}",
                        teacher=teacher,
                    )
                )
                self.classrooms.append(classrooms[-1])

    def _make_teacher(self, school: School) -> int:
        number = len(self.teachers) + 1
        # teachers are drawn for with numbers that no student has
        given, family, login = self._names([(1 << 40) + number])[0]
        self.teachers[number] = Person(number, given, family, f"{login}{number}", school, "")
        return number

    def _make_students(self, school: School, grade: str, count: int) -> list[Person]:
        numbers = range(self._last_student + 1, self._last_student + count + 1)
        self._last_student += count
        made = [
            Person(number, given, family, f"{login}{number}", school, grade)
            for number, (given, family, login) in zip(numbers, self._names(numbers), strict=True)
        ]
        self.students.update((person.number, person) for person in made)
        return made

    def _names(self, numbers: Sequence[int]) -> list[tuple[str, str, str]]:
        """Return given name, family name and the beginning of a login for each number."""
        given = self.draws.below(len(_GIVEN_NAMES), numbers, For.GIVEN_NAME).tolist()
        family = self.draws.below(len(_FAMILY_NAMES), numbers, For.FAMILY_NAME).tolist()
        return [
            (_GIVEN_NAMES[g], _FAMILY_NAMES[f], f"{_ASCII_GIVEN[g]}.{_ASCII_FAMILY[f]}.")
            for g, f in zip(given, family, strict=True)
        ]

    def _enroll(self, person: Person, since: date | None) -> None:
        """Put a student into one section of each subject: the smallest, sections taking turns."""
        classrooms = self._by_grade[person.school.number, person.grade]
        sections = len(classrooms) // len(SUBJECTS)
        for turn in range(len(SUBJECTS)):
            choices = classrooms[turn * sections : (turn + 1) * sections]
            smallest = min(
                choices,
                key=lambda room: (len(room.roster), (room.section + turn) % sections),
            )
            _join(smallest, person.number, since)

    def advance(self, night: int) -> None:
        """Bring the roster to this night (2 or later); see `change_of`."""
        change = change_of(night)
        for index in range(self._changes_per_night):
            if change == "join":
                self._admit(night, index)
            elif change == "move":
                self._move(night, index)
            elif change == "rename":
                room = self._drawn_classroom(night, index)
                room.title = f"{room.subject.title} {grade_name(room.grade)} Workshop {night}"
            else:
                self._release(night, index)

    def _admit(self, night: int, index: int) -> None:
        room = self._drawn_classroom(night, index)
        (person,) = self._make_students(room.school, room.grade, 1)
        self._enroll(person, night_date(night))

    def _move(self, night: int, index: int) -> None:
        room = self._drawn_classroom(night, index)
        siblings = [
            other
            for other in self._by_grade[room.school.number, room.grade]
            if other.subject is room.subject and other is not room
        ]
        if room.roster:
            number = room.roster[0]
            _leave(room, number)
            _join(siblings[0], number, night_date(night))

    def _release(self, night: int, index: int) -> None:
        numbers = self._drawn_classroom(night, index).roster[-1:]
        for number in numbers:
            person = self.students.pop(number)
            for room in self._by_grade[person.school.number, person.grade]:
                if number in room.roster:
                    _leave(room, number)

    def _drawn_classroom(self, night: int, index: int) -> Classroom:
        chosen = self.draws.one_below(len(self.classrooms), For.CHANGE, night, index)
        return self.classrooms[chosen]


def _make_schools(students: int) -> list[School]:
    count = max(3, round(students / _STUDENTS_PER_SCHOOL))
    schools = []
    for index, size in enumerate(_split(students, count)):
        kind = _KINDS[index % len(_KINDS)]
        grades = _GRADES[kind]
        opened = min(len(grades), max(1, size // _STUDENTS_PER_GRADE))
        round_trip, place = divmod(index, len(_SCHOOL_NAMES))
        suffix = f" {round_trip + 1}" if round_trip else ""
        name = f"{_SCHOOL_NAMES[place]} {kind.title()} School{suffix}"
        schools.append(School(index + 1, name, kind, grades[:opened]))
    return schools


def _split(total: int, parts: int) -> list[int]:
    """Split a number into parts that differ by one at most."""
    return [total // parts + (index < total % parts) for index in range(parts)]


def _join(room: Classroom, number: int, since: date | None) -> None:
    room.roster.append(number)
    if since:
        room.began[number] = since


def _leave(room: Classroom, number: int) -> None:
    room.roster.remove(number)
    room.began.pop(number, None)


def grade_name(grade: str) -> str:
    """Return how a grade is called in titles and objectives: K, 1 to 12."""
    return "K" if grade == "KG" else str(int(grade))


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in plain.lower() if letter.isascii() and letter.isalpha())


_ASCII_GIVEN = tuple(_ascii(name) for name in _GIVEN_NAMES)
_ASCII_FAMILY = tuple(_ascii(name) for name in _FAMILY_NAMES)


# ---------------------------------------------------------------- nights


def night_date(night: int) -> date:
    """Return the day of a night; night 1 is the first."""
    return FIRST_NIGHT + timedelta(days=night - 1)


def instant_of(night: int, hour: int) -> datetime:
    """Return a full hour (UTC) of a night's day."""
    day = night_date(night)
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def change_of(night: int) -> str:
    """Return what changes in the roster on a night: join, move, rename, leave in turn."""
    return "start" if night == 1 else ("join", "move", "rename", "leave")[(night - 2) % 4]

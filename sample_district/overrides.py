"""Teachers' decisions in the sample: on some nights the learning platform exports overrides."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sample_district.deliveries import Delivery, objectives_of
from sample_district.district import Classroom, District, instant_of, night_date

HEADER = (
    "sourcedId,status,dateLastModified,studentSourcedId,learningObjectiveId,action,state,"
    "effectiveAt,teacherSourcedId,reason"
)


@dataclass(frozen=True, slots=True)
class _Decision:
    """What a teacher decides on a night about the student at a place of the class list."""

    night: int
    place: int
    action: str
    state: str
    reason: str


_DECISIONS = (
    _Decision(2, 0, "set", "mastered", "Explained it at the board"),
    _Decision(2, 1, "set", "not_mastered", "The work was copied"),
    _Decision(5, 0, "clear", "", "Let the scores count again"),
    _Decision(6, 2, "set", "mastered", "Helped others with it"),
    _Decision(6, 3, "set", "mastered", "Solved it on paper"),
    _Decision(6, 4, "set", "not_mastered", "Guessed the answers"),
)


def overrides_deliveries(district: District, night: int) -> Iterator[Delivery]:
    """Yield the overrides of a night as one loose CSV at 15:00 UTC; none on most nights."""
    room = next(room for room in district.classrooms if objectives_of(room, 0))
    students = sorted(room.roster)
    rows = [
        _row(room, students[decision.place], number, decision)
        for number, decision in enumerate(_DECISIONS, start=1)
        if decision.night == night and decision.place < len(students)
    ]
    if rows:
        content = "\n".join([HEADER, *rows, ""]).encode()
        files: dict[str, Iterable[bytes]] = {"mastery_overrides.csv": [content]}
        yield Delivery("lms", instant_of(night, 15), "csv", files, (night,))


def _row(room: Classroom, student: int, number: int, decision: _Decision) -> str:
    day = night_date(decision.night)
    return (
        f"OV-{number:04d},active,{day}T14:30:00.000Z,ST-{student:06d},"
        f"{objectives_of(room, 0)[0]},{decision.action},{decision.state},{day}T14:30:00.000Z,"
        f"TE-{room.teacher:05d},{decision.reason}"
    )

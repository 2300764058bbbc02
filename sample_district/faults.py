"""Planted faults: what goes wrong in the sample exports, at fixed nights, each in the catalogue.

A fault is planted into a file that is otherwise right, by editing its lines. The catalogue says
where, what the answer has to be and how it heals. Refused rows of the gradebook come again, as
they were, with a later delivery; the roster is sent whole every night and heals by itself.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sample_district.deliveries import Delivery, lms_manifest, sis_manifest
from sample_district.district import instant_of

MIN_FAULT_NIGHTS = 6  # the first story ends there, nights 8 and 9 are another
MIN_FAULT_STUDENTS = 40
_PROOF = "tests/python/test_sample_faults.py::test_every_planted_fault_is_answered"
_PROOF_OF_DOUBT = "tests/python/test_sample_faults.py::test_doubtful_overrides_are_found"

FAULT_STORIES = {
    1: "The whole roster and the gradebook since the start of the school year; three files are "
    "written unusually, but rightly.",
    2: "The roster's zip is cut short; the gradebook holds a few broken lines.",
    3: "A renamed column gets the roster's users refused; the gradebook does not come.",
    4: "A student is missing from the roster; in place of the scores an error page arrives.",
    5: "The student is back; the scores of nights 3 and 4 come late, one before its line item.",
    6: "Old scores and a correction come, overrides are wrong, last night is exported twice; "
    "a line item is deleted.",
    7: "A quiet night: students change section, and nothing goes wrong.",
    8: "A school is missing from the roster; every score is dated month first; line items are "
    "stale, of an unknown class or without a due date.",
    9: "The school is back and the scores come again; two columns have changed places.",
}

_TOO_SMALL = "Not every fault fits into this district; take more students or another seed."
_ERROR_PAGE = b"""<!DOCTYPE html>
<html><head><title>Service unavailable</title></head>
<body><h1>503</h1><p>The export could not be made. Please try again later.</p></body></html>
"""


@dataclass(frozen=True, slots=True)
class _Fault:
    """One line of the catalogue; `line_number` 0 stands for the whole file."""

    fault: str
    night: int
    source_id: str
    delivery_name: str
    file_name: str
    record_key: str
    line_number: int
    code: str
    verdict: str
    note: str
    proof: str = _PROOF


@dataclass(eq=False, slots=True)
class _Line:
    """One record as bytes, line end included; several physical lines when a field holds one."""

    data: bytes
    is_touched: bool = False

    @property
    def fields(self) -> list[bytes]:
        """The fields; only for lines without quotes."""
        return self.data.removesuffix(b"\n").split(b",")

    @property
    def key(self) -> bytes:
        """The sourcedId."""
        return _key_of(self.data)

    def write(self, fields: list[bytes]) -> None:
        """Replace the fields, as they are, without quoting."""
        self.data = b",".join(fields) + b"\n"


@dataclass(frozen=True, slots=True)
class _Mark:
    """A fault that waits for its line number; no line stands for the whole file."""

    line: _Line | None
    fault: _Fault


class _Sheet:
    """A file of a delivery, taken apart into lines to plant faults in."""

    def __init__(self, delivery: Delivery, file_name: str, night: int) -> None:
        content = b"".join(delivery.files[file_name])
        first, *rest = content.splitlines(keepends=True)
        self.header = _Line(first)
        self.lines = [_Line(data) for data in rest]
        self.marks: list[_Mark] = []
        self._columns = first.decode().strip().split(",")
        place = delivery.name if delivery.container == "csv" else file_name
        self._blank = _Fault("", night, delivery.source_id, delivery.name, place, "", 0, "", "", "")

    def pick(
        self, share: float, where: Callable[[list[bytes]], bool] = lambda fields: True
    ) -> _Line:
        """Take the first untouched line from that share of the file on whose fields satisfy."""
        start = int(share * len(self.lines))
        for line in self.lines[start:] + self.lines[:start]:
            if not line.is_touched and b'"' not in line.data and where(line.fields):
                line.is_touched = True
                return line
        raise ValueError(_TOO_SMALL)

    def insert(self, data: bytes, after: _Line) -> _Line:
        """Put a new line after another."""
        line = _Line(data, is_touched=True)
        self.lines.insert(self.lines.index(after) + 1, line)
        return line

    def append(self, data: bytes) -> _Line:
        """Put a new line at the end."""
        line = _Line(data, is_touched=True)
        self.lines.append(line)
        return line

    def append_missing(self, rows: list[bytes]) -> None:
        """Put rows at the end whose keys the file does not hold yet; of one key, the last."""
        present = {line.key for line in self.lines}
        for key, data in {_key_of(data): data for data in rows}.items():
            if key not in present:
                self.append(data)

    def find(self, key: bytes) -> _Line:
        """Return the line of a key, touched from now on."""
        for line in self.lines:
            if line.key == key:
                line.is_touched = True
                return line
        raise ValueError(_TOO_SMALL)

    def get(self, line: _Line, column: str) -> bytes:
        """Return a field."""
        return line.fields[self._columns.index(column)]

    def set(self, line: _Line, column: str, value: bytes) -> None:
        """Replace a field, as it is, without quoting."""
        fields = line.fields
        fields[self._columns.index(column)] = value
        line.write(fields)

    def mark(
        self, line: _Line, fault: str, code: str, verdict: str, note: str, proof: str = _PROOF
    ) -> None:
        """Enter a line into the catalogue."""
        marked = self._fault(fault, code, verdict, note, line.key.decode())
        self.marks.append(_Mark(line, replace(marked, proof=proof)))

    def mark_file(
        self, fault: str, code: str, verdict: str, note: str, record_key: str = ""
    ) -> None:
        """Enter the whole file into the catalogue."""
        self.marks.append(_Mark(None, self._fault(fault, code, verdict, note, record_key)))

    def _fault(self, fault: str, code: str, verdict: str, note: str, record_key: str) -> _Fault:
        return replace(
            self._blank, fault=fault, code=code, verdict=verdict, note=note, record_key=record_key
        )

    def content(self) -> bytes:
        """Return the file's bytes."""
        return b"".join(line.data for line in [self.header, *self.lines])

    def faults(self) -> Iterator[_Fault]:
        """Yield the marked faults with the physical line on which each record starts."""
        starts: dict[int, int] = {}
        number = 1
        for line in [self.header, *self.lines]:
            starts[id(line)] = number
            number += line.data.count(b"\n")
        for mark in self.marks:
            line_number = starts[id(mark.line)] if mark.line else 0
            yield replace(mark.fault, line_number=line_number)


class Planter:
    """Plants the faults of every night and keeps the catalogue."""

    def __init__(self) -> None:
        self._faults: list[_Fault] = []
        self._night = 0
        self._known_scores: list[bytes] = []
        self._resent: list[bytes] = []
        self._held_line_items: list[bytes] = []
        self._extra_work: list[bytes] = []
        self._absent: bytes = b""
        self._deleted: bytes = b""
        self._enrollments: list[list[bytes]] = []

    def plant(self, delivery: Delivery, night: int) -> list[Delivery]:
        """Return what arrives instead of a night's delivery."""
        self._night = night
        if "mastery_overrides.csv" in delivery.files:
            return self._overrides_6(delivery) if night == 6 else [delivery]
        plants: dict[tuple[str, int], Callable[[Delivery], list[Delivery]]] = {
            ("sis", 1): self._sis_1,
            ("sis", 2): self._sis_2,
            ("sis", 3): self._sis_3,
            ("sis", 4): self._sis_4,
            ("sis", 5): self._sis_5,
            ("sis", 6): self._sis_6,
            ("sis", 8): self._sis_8,
            ("sis", 9): self._sis_9,
            ("lms", 1): self._lms_1,
            ("lms", 2): self._lms_2,
            ("lms", 3): self._lms_3,
            ("lms", 4): self._lms_4,
            ("lms", 5): self._lms_5,
            ("lms", 6): self._lms_6,
            ("lms", 8): self._lms_8,
            ("lms", 9): self._lms_9,
        }
        planting = plants.get((delivery.source_id, night))
        return planting(delivery) if planting else [delivery]

    def catalogue(self) -> list[dict[str, str]]:
        """Return every planted fault, in the order of nights, deliveries and lines."""
        ordered = sorted(
            self._faults,
            key=lambda f: (
                f.night,
                f.source_id,
                f.delivery_name,
                f.file_name,
                f.line_number,
                f.fault,
            ),
        )
        return [
            {
                "fault_id": f"F{number:02d}",
                "fault": fault.fault,
                "night": str(fault.night),
                "source_id": fault.source_id,
                "delivery_name": fault.delivery_name,
                "file_name": fault.file_name,
                "record_key": fault.record_key,
                "line_number": str(fault.line_number or ""),
                "code": fault.code,
                "verdict": fault.verdict,
                "note": fault.note,
                "proof": fault.proof,
            }
            for number, fault in enumerate(ordered, start=1)
        ]

    @contextmanager
    def _sheet(self, delivery: Delivery, file_name: str) -> Iterator[_Sheet]:
        """Take a file apart and, when done, put it back with its faults in the catalogue."""
        sheet = _Sheet(delivery, file_name, self._night)
        yield sheet
        delivery.files[file_name] = [sheet.content()]
        self._faults.extend(sheet.faults())

    def _mark_delivery(
        self, delivery: Delivery, fault: str, code: str, verdict: str, note: str, night: int
    ) -> None:
        name = delivery.name
        self._faults.append(
            _Fault(fault, night, delivery.source_id, name, name, "", 0, code, verdict, note)
        )

    # ------------------------------------------------------------ the roster, night by night

    def _sis_1(self, delivery: Delivery) -> list[Delivery]:
        with self._sheet(delivery, "courses.csv") as courses:
            for line in [courses.header, *courses.lines]:
                line.data = line.data.replace(b"\n", b"\r\n")
            courses.mark_file(
                "crlf", "", "accepted", "Lines end with CR LF; they are read like any other."
            )
        return [delivery]

    def _sis_2(self, delivery: Delivery) -> list[Delivery]:
        self._mark_delivery(
            delivery,
            "truncated_zip",
            "ARCHIVE_UNREADABLE",
            "rejected",
            "The upload broke off; the roster of night 1 stands until night 3 brings a whole one.",
            night=self._night,
        )
        return [replace(delivery, is_cut_short=True)]

    def _sis_3(self, delivery: Delivery) -> list[Delivery]:
        with self._sheet(delivery, "users.csv") as users:
            users.header.data = users.header.data.replace(b"familyName", b"lastName")
            users.mark_file(
                "renamed_column",
                "COLUMN_RENAMED",
                "rejected",
                "familyName is called lastName; the users of night 1 stand until night 4 names it "
                "rightly. The other files of this delivery are taken.",
            )
        with self._sheet(delivery, "enrollments.csv") as enrollments:
            line = enrollments.pick(0.4)
            twin = enrollments.insert(line.data, after=line)
            enrollments.mark(
                twin,
                "identical_duplicate",
                "DUPLICATE_RECORD",
                "duplicate",
                "The same record twice in a row; the first counts.",
            )
        return [delivery]

    def _sis_4(self, delivery: Delivery) -> list[Delivery]:
        with self._sheet(delivery, "enrollments.csv") as enrollments:
            self._absent = _who_stays(enrollments)
            enrollments.lines = [
                x for x in enrollments.lines if enrollments.get(x, "userSourcedId") != self._absent
            ]
            line = enrollments.pick(0.3)
            enrollments.set(line, "beginDate", b"08/31/2026")
            enrollments.mark(
                line,
                "optional_bad_date",
                "OPTIONAL_VALUE_IGNORED",
                "accepted",
                "beginDate may be blank: the unreadable date becomes blank, the record stays.",
            )
            line = enrollments.pick(0.6)
            line.write(line.fields[:-3])
            enrollments.mark(
                line,
                "too_few_fields_in_bulk",
                "TOO_FEW_FIELDS",
                "malformed",
                "Cut after seven fields; its key can be read, so the enrollment of night 3 stays "
                "active.",
            )
        with self._sheet(delivery, "users.csv") as users:
            users.lines.remove(users.find(self._absent))
            users.mark_file(
                "absent_student",
                "",
                "accepted",
                "A student is missing from users, enrollments and demographics: no longer active "
                "until night 5 brings the records again.",
                self._absent.decode(),
            )
        with self._sheet(delivery, "demographics.csv") as demographics:
            demographics.lines.remove(demographics.find(self._absent))
        again = self._night + 1
        self._mark_delivery(
            delivery,
            "same_delivery_again",
            "",
            "accepted",
            "The zip of night 4 lies in the inbox of night 5 too, byte for byte: nothing happens.",
            night=again,
        )
        return [replace(delivery, arrivals=(self._night, again))]

    def _sis_5(self, delivery: Delivery) -> list[Delivery]:
        with self._sheet(delivery, "users.csv") as users:
            users.mark(
                users.find(self._absent),
                "student_returns",
                "",
                "accepted",
                "Missing on night 4, active again.",
            )
            self._refuse_present(users)
            line = users.pick(0.6, lambda fields: fields[0].startswith(b"ST-"))
            users.set(line, "enabledUser", b"TRUE")
            users.mark(
                line,
                "excel_boolean",
                "WRONG_CASE",
                "accepted",
                "A spreadsheet wrote TRUE; it is read as true, with a warning.",
            )
        with self._sheet(delivery, "enrollments.csv") as enrollments:
            self._enrollments = [line.fields for line in enrollments.lines]
            line = enrollments.pick(0.7, lambda fields: fields[6] == b"student")
            enrollments.set(line, "role", b"")
            enrollments.mark(
                line,
                "missing_required",
                "REQUIRED_MISSING",
                "rejected",
                "No role; the enrollment is refused but present, so it stays active with the "
                "values of night 4.",
            )
        return [delivery]

    def _refuse_present(self, users: _Sheet) -> None:
        line = users.pick(0.3, lambda fields: fields[0].startswith(b"ST-"))
        users.set(line, "role", b"learner")
        users.set(line, "familyName", b"Newname")
        users.mark(
            line,
            "refused_but_present",
            "VALUE_NOT_ALLOWED",
            "rejected",
            "The role is unknown, so the new family name is not taken; the student stays active "
            "with the values of night 4.",
        )

    def _sis_6(self, delivery: Delivery) -> list[Delivery]:
        orgs = b"".join(delivery.files["orgs.csv"])
        delivery.files["orgs.csv"] = [orgs]
        rival = Delivery(
            "sis",
            instant_of(5, 1),
            "zip",
            {
                "manifest.csv": [sis_manifest(["orgs.csv"])],
                "orgs.csv": [orgs.replace(b" School,", b" Campus,")],
            },
            (self._night,),
        )
        self._mark_delivery(
            rival,
            "delivery_conflict",
            "DELIVERY_CONFLICT",
            "rejected",
            "A second export under the boundary of night 5 with other bytes; the first stands.",
            night=self._night,
        )
        return [delivery, rival]

    def _sis_8(self, delivery: Delivery) -> list[Delivery]:
        """Drop a school out of every file but orgs, its teachers and demographics included."""
        with self._sheet(delivery, "classes.csv") as classes:
            school = classes.get(classes.lines[0], "schoolSourcedId")
            self._drop_school(classes, "schoolSourcedId", school)
        with self._sheet(delivery, "enrollments.csv") as enrollments:
            self._drop_school(enrollments, "schoolSourcedId", school)
        with self._sheet(delivery, "users.csv") as users:
            self._drop_school(users, "orgSourcedIds", school)
            left = {line.key for line in users.lines}
        with self._sheet(delivery, "demographics.csv") as demographics:
            demographics.lines = [line for line in demographics.lines if line.key in left]
        return [delivery]

    def _drop_school(self, sheet: _Sheet, column: str, school: bytes) -> None:
        sheet.lines = [line for line in sheet.lines if sheet.get(line, column) != school]
        sheet.mark_file(
            "school_missing",
            "MASS_DELETION",
            "accepted",
            "A school dropped out of the export: what is there is taken, the removals wait; "
            "night 9 brings the school again.",
            school.decode(),
        )

    def _sis_9(self, delivery: Delivery) -> list[Delivery]:
        with self._sheet(delivery, "demographics.csv") as demographics:
            for line in [demographics.header, *demographics.lines]:
                fields = line.fields
                fields[3:5] = [fields[4], fields[3]]
                line.write(fields)
            demographics.mark_file(
                "reordered_columns",
                "COLUMN_REORDERED",
                "rejected",
                "sex stands before birthDate; the other files of this delivery are taken, and the "
                "next roster heals it.",
            )
        return [delivery]

    # ------------------------------------------------------------ the gradebook, night by night

    def _lms_1(self, delivery: Delivery) -> list[Delivery]:
        with self._sheet(delivery, "categories.csv") as categories:
            categories.header.data = b"\xef\xbb\xbf" + categories.header.data
            categories.mark_file(
                "byte_order_mark", "", "accepted", "The file begins with a byte order mark."
            )
        with self._sheet(delivery, "lineItemLearningObjectiveIds.csv") as alignments:
            last = alignments.lines[-1]
            last.data = last.data.removesuffix(b"\n")
            alignments.mark(
                last, "no_final_newline", "", "accepted", "The last record ends with the file."
            )
        return [delivery]

    def _lms_2(self, delivery: Delivery) -> list[Delivery]:
        with self._sheet(delivery, "lineItems.csv") as line_items:
            line = line_items.pick(0.3)
            line_items.set(
                line, "description", b'"Read the chapter first.\nThen answer, in pairs."'
            )
            line_items.mark(
                line,
                "quoted_newline",
                "",
                "accepted",
                "The description holds a line break and a comma; every later line number moves on.",
            )
        with self._sheet(delivery, "results.csv") as results:
            before = {id(line): line.data for line in results.lines}
            line = results.pick(0.2)
            line.write([*line.fields, b"true"])
            results.mark(
                line,
                "too_many_fields",
                "TOO_MANY_FIELDS",
                "malformed",
                "One field too many; sent again, rightly, on night 5.",
            )
            line = results.pick(0.4)
            results.set(line, "comment", b'Needs "more" work')
            results.mark(
                line,
                "stray_quote",
                "STRAY_QUOTE",
                "malformed",
                "Quotes inside a field that is not quoted; sent again, rightly, on night 5.",
            )
            line = results.pick(0.6)
            results.set(line, "comment", "Très bien".encode("latin-1"))
            results.mark(
                line,
                "bad_byte",
                "BAD_BYTES",
                "malformed",
                "A Latin-1 letter in a UTF-8 file; sent again, rightly, on night 5.",
            )
            line = results.pick(0.8)
            results.set(line, "scoreDate", b"09/02/2026")
            results.mark(
                line,
                "bad_required_date",
                "INVALID_DATE",
                "rejected",
                "scoreDate must be there and is no ISO date; sent again, rightly, on night 5.",
            )
            self._resent = [before[id(line)] for line in results.lines if line.is_touched]
            self._known_scores = [
                line.data for line in results.lines if not line.is_touched and _is_first_quiz(line)
            ]
        return [delivery]

    def _lms_3(self, delivery: Delivery) -> list[Delivery]:
        late = replace(delivery, arrivals=(5,))
        self._mark_delivery(
            late,
            "late_delivery",
            "",
            "accepted",
            "The scores of night 3 arrive on night 5; they count from their own export boundary.",
            night=5,
        )
        return [late]

    def _lms_4(self, delivery: Delivery) -> list[Delivery]:
        content = b"".join(delivery.files.pop("results.csv"))
        self._resent += content.splitlines(keepends=True)[1:]
        names = [name for name in delivery.files if name != "manifest.csv"]
        delivery.files["manifest.csv"] = [lms_manifest(names)]
        page = Delivery(
            "lms", delivery.boundary, "csv", {"results.csv": [_ERROR_PAGE]}, delivery.arrivals
        )
        self._mark_delivery(
            page,
            "error_page",
            "NOT_A_CSV",
            "rejected",
            "The scores of night 4 are an error page; the platform sends them again on night 5.",
            night=self._night,
        )
        return [delivery, page]

    def _lms_5(self, delivery: Delivery) -> list[Delivery]:
        held = self._hold_line_item(delivery)
        with self._sheet(delivery, "results.csv") as results:
            before = {id(line): line.data for line in results.lines}
            first, *others = [
                line for line in results.lines if results.get(line, "lineItemSourcedId") == held
            ]
            first.is_touched = True
            waiting = {line.key for line in others}
            results.lines = [line for line in results.lines if line.key not in waiting]
            results.mark(
                first,
                "dangling_reference",
                "",
                "accepted",
                "The line item comes on night 6; until then the result awaits it.",
            )
            lost = [before[id(line)] for line in self._break_lines(results)]
            results.append_missing(self._resent)
            self._resent = lost + [line.data for line in others]
            self._delete(results)
        return [delivery]

    def _hold_line_item(self, delivery: Delivery) -> bytes:
        """Keep back a line item that no objective is aligned to; return its sourcedId."""
        with self._sheet(delivery, "lineItemLearningObjectiveIds.csv") as alignments:
            aligned = {alignments.get(line, "lineItemSourcedId") for line in alignments.lines}
        with self._sheet(delivery, "lineItems.csv") as line_items:
            held = line_items.pick(0.5, lambda fields: fields[0] not in aligned)
            line_items.lines.remove(held)
        self._held_line_items = [held.data]
        return held.key

    def _break_lines(self, results: _Sheet) -> list[_Line]:
        """Break records of night 5; returns those that come again on night 6."""
        unclosed = results.pick(0.3)
        results.set(unclosed, "comment", b'"See me')
        results.mark(
            unclosed,
            "unclosed_quote",
            "UNCLOSED_QUOTE",
            "malformed",
            "A quote that never closes; the record ends with its line, the next ones are read.",
        )
        short = results.pick(0.5)
        short.write(short.fields[:-2])
        results.mark(
            short,
            "too_few_fields",
            "TOO_FEW_FIELDS",
            "malformed",
            "Two fields too few; sent again, rightly, on night 6.",
        )
        conflict = results.pick(0.8, _is_graded)
        twin = results.insert(conflict.data, after=conflict)
        results.set(twin, "score", b"0")
        for line in (conflict, twin):
            results.mark(
                line,
                "conflicting_duplicate",
                "DUPLICATE_KEY_CONFLICT",
                "rejected",
                "One key, two scores: neither is taken. Sent again, once, on night 6.",
            )
        return [unclosed, short, conflict]

    def _delete(self, results: _Sheet) -> None:
        self._deleted = self._known_scores.pop()
        line = results.append(_dated(self._deleted, "2026-09-05T15:59:30.000Z", b"tobedeleted"))
        results.mark(
            line,
            "deleted_result",
            "",
            "accepted",
            "A score of night 2 is deleted; night 6 brings it again.",
        )

    def _lms_6(self, delivery: Delivery) -> list[Delivery]:
        with self._sheet(delivery, "lineItems.csv") as line_items:
            line_items.append_missing(self._held_line_items)
            self._bring_extra_work(line_items)
        with self._sheet(delivery, "manifest.csv") as manifest:
            for line in manifest.lines:
                line.data = line.data.replace(b"file.results,delta", b"file.results,bulk")
        with self._sheet(delivery, "results.csv") as results:
            results.mark_file(
                "mode_conflict",
                "MODE_CONFLICT",
                "accepted",
                "The manifest says bulk, every row is dated: read as a delta, nothing is removed.",
            )
            self._spoil_lines(results)
            results.append_missing(self._resent)
            self._repeat_history(results)
        return [delivery]

    def _bring_extra_work(self, line_items: _Sheet) -> None:
        """Bring two line items without scores, one deleted; night 8 sends older versions."""
        self._extra_work = [
            _extra_work(line_items.lines[0], number, "2026-09-06T15:59:30.000Z")
            for number in (96, 97)
        ]
        kept, deleted = self._extra_work
        line_items.append(kept)
        line = line_items.append(_dated(deleted, "2026-09-06T15:59:30.000Z", b"tobedeleted"))
        line_items.mark(
            line,
            "deleted_line_item",
            "",
            "accepted",
            "A line item without scores is deleted on the day it was made.",
        )

    def _spoil_lines(self, results: _Sheet) -> None:
        line = results.pick(0.2)
        results.set(line, "comment", b'"Good" work')
        results.mark(
            line,
            "text_after_quote",
            "TEXT_AFTER_QUOTE",
            "malformed",
            "A quote closes before its field ends; the score is unknown until it is sent rightly.",
        )
        line = results.pick(0.5)
        results.set(line, "sourcedId", b"")
        results.mark(
            line,
            "blank_key",
            "REQUIRED_MISSING",
            "rejected",
            "No sourcedId; whose score it is, only the sender can say.",
        )
        line = results.pick(0.7)
        results.set(line, "scoreStatus", b"graded")
        results.mark(
            line,
            "bad_enumeration",
            "VALUE_NOT_ALLOWED",
            "rejected",
            "graded is no scoreStatus; the score is unknown until it is sent rightly.",
        )

    def _overrides_6(self, delivery: Delivery) -> list[Delivery]:
        with self._sheet(delivery, "mastery_overrides.csv") as overrides:
            line = overrides.pick(0)
            student = overrides.get(line, "studentSourcedId")
            overrides.set(line, "teacherSourcedId", _who_never_teaches(student, self._enrollments))
            overrides.mark(
                line,
                "override_by_another_teacher",
                "",
                "accepted",
                "By a teacher who does not teach the student: it counts, and the doubt is listed.",
                proof=_PROOF_OF_DOUBT,
            )
            line = overrides.pick(0)
            overrides.set(line, "studentSourcedId", b"ST-999999")
            overrides.mark(
                line,
                "override_of_unknown_student",
                "",
                "accepted",
                "About a student whom no roster knows: it has no effect, and the doubt is listed.",
                proof=_PROOF_OF_DOUBT,
            )
            line = overrides.pick(0)
            overrides.set(line, "state", b"expert")
            overrides.mark(
                line,
                "override_to_unknown_state",
                "VALUE_NOT_ALLOWED",
                "rejected",
                "expert is no state; the decision is refused, so the scores go on deciding.",
            )
        return [delivery]

    def _lms_8(self, delivery: Delivery) -> list[Delivery]:
        with self._sheet(delivery, "lineItems.csv") as line_items:
            self._send_older_versions(line_items)
            self._spoil_line_items(line_items)
        with self._sheet(delivery, "results.csv") as results:
            self._resent = [line.data for line in results.lines]
            for line in results.lines:
                year, month, day = results.get(line, "scoreDate").split(b"-")
                results.set(line, "scoreDate", b"/".join([month, day, year]))
            results.mark_file(
                "date_format_changed",
                "TYPE_CHANGED",
                "rejected",
                "scoreDate is written month/day/year in every record; the platform sends the "
                "scores again, rightly dated, on night 9.",
            )
        return [delivery]

    def _send_older_versions(self, line_items: _Sheet) -> None:
        kept, deleted = self._extra_work
        line = line_items.append(_dated(kept, "2026-09-06T13:10:00.000Z", b"active"))
        line_items.set(line, "title", b"Draft")
        line_items.mark(
            line,
            "stale_line_item",
            "",
            "accepted",
            "An older version than that of night 6, with another title: it is superseded.",
        )
        line = line_items.append(_dated(deleted, "2026-09-06T13:10:00.000Z", b"active"))
        line_items.mark(
            line,
            "deleted_line_item_again",
            "",
            "accepted",
            "A version from before it was deleted on night 6: the line item stays deleted.",
        )

    def _spoil_line_items(self, line_items: _Sheet) -> None:
        """Break two line items; the platform sends them again, rightly, on night 9."""
        self._held_line_items = [
            _extra_work(line_items.lines[0], number, "2026-09-08T15:59:30.000Z")
            for number in (98, 99)
        ]
        astray, undated = (line_items.append(data) for data in self._held_line_items)
        line_items.set(astray, "classSourcedId", b"CL-99999")
        line_items.mark(
            astray,
            "unknown_class",
            "",
            "accepted",
            "Of a class that nobody has sent, so it awaits it; night 9 names the right class.",
        )
        line_items.set(undated, "dueDate", b"")
        line_items.mark(
            undated,
            "missing_due_date",
            "REQUIRED_MISSING",
            "rejected",
            "No dueDate; the line item is unknown until it is sent again, rightly, on night 9.",
        )

    def _lms_9(self, delivery: Delivery) -> list[Delivery]:
        with self._sheet(delivery, "lineItems.csv") as line_items:
            line_items.append_missing(self._held_line_items)
        with self._sheet(delivery, "results.csv") as results:
            results.append_missing(self._resent)
        return [delivery]

    def _repeat_history(self, results: _Sheet) -> None:
        """Bring scores of night 2 again: one undeleted, one corrected, one older than known."""
        line = results.append(_dated(self._deleted, "2026-09-06T15:59:30.000Z", b"active"))
        results.mark(line, "result_returns", "", "accepted", "Deleted on night 5, active again.")
        line = results.append(
            _dated(self._known_scores.pop(), "2026-09-06T15:59:30.000Z", b"active")
        )
        results.set(line, "score", b"20")
        results.mark(
            line,
            "late_correction",
            "",
            "accepted",
            "Work of night 2, corrected on night 6: the score changes, its day does not.",
        )
        line = results.append(
            _dated(self._known_scores.pop(), "2026-09-02T13:30:00.000Z", b"active")
        )
        results.set(line, "score", b"1")
        results.mark(
            line,
            "stale_resend",
            "",
            "accepted",
            "An older state of a score of night 2 is sent again: it changes nothing.",
        )


def _key_of(row: bytes) -> bytes:
    return row.split(b",", 1)[0]


def _who_never_teaches(student: bytes, enrollments: list[list[bytes]]) -> bytes:
    """A teacher of none of the student's classes."""
    taught = {(fields[3], fields[5]) for fields in enrollments if fields[6] == b"teacher"}
    classes = {fields[3] for fields in enrollments if fields[5] == student}
    teachers = {teacher for _, teacher in taught}
    return max(teachers - {teacher for taught_class, teacher in taught if taught_class in classes})


def _who_stays(enrollments: _Sheet) -> bytes:
    """Return a student who does not leave on the next night: those last in a class may."""
    last_of_class = {
        enrollments.get(line, "classSourcedId"): enrollments.get(line, "userSourcedId")
        for line in enrollments.lines
    }
    leaving = set(last_of_class.values())
    staying = enrollments.pick(
        0.9, lambda fields: fields[6] == b"student" and fields[5] not in leaving
    )
    return enrollments.get(staying, "userSourcedId")


def _is_graded(fields: list[bytes]) -> bool:
    return fields[5] == b"fully graded" and float(fields[6]) > 1


def _is_first_quiz(line: _Line) -> bool:
    """Whether a result is of an item new on night 2, graded, with room for a better score.

    Items of that number belong to even classes and score up to 20.
    """
    if line.key.split(b"-")[2] != b"05" or not _is_graded(line.fields):
        return False
    return float(line.fields[6]) < 20


def _extra_work(like: _Line, number: int, modified: str) -> bytes:
    """Return a line item for the class of another, under a number that no school year reaches."""
    room = like.key.split(b"-")[1]
    day = modified[:10].encode()
    school = like.data.rstrip(b"\n").rsplit(b",", 1)[1]
    key = b"LI-%b-%d" % (room, number)
    head = [key, b"active", modified.encode(), b"Extra work", b"", day, day, b"CL-" + room]
    return b",".join([*head, b"CAT-1", b"TERM-2026-FALL", b"0", b"10", school]) + b"\n"


def _dated(row: bytes, modified: str, status: bytes) -> bytes:
    """Return a row with another status and time of modification."""
    fields = row.split(b",")
    fields[1:3] = [status, modified.encode()]
    return b",".join(fields)

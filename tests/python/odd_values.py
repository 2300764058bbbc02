"""Exports in which each value of each staged column is odd once, in a record of its own.

What is odd follows from the layouts: by type, requirement and allowed values. An odd value is
`harmless`, when the row of its record must be that of the same record without it, or `left out`,
when the row is the same but for that column, or `kept`, when it is read as it is, however extreme,
or it costs the record.
"""

import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from rollcall.contracts.layouts import Column, Layout
from rollcall.contracts.project import Contracts

ROSTER_FAMILIES = ("oneroster", "overrides")
MODIFIED = "2026-08-30T10:00:00.123456Z"
_PLAIN = {
    **{"string": "A1", "list": "09", "bool": "true", "date": "2026-08-20", "float": "50"},
    **{"id": "A1", "integer": "5", "year": "2027", "datetime": MODIFIED},
}
_CHOSEN = {
    ("oneroster/academic_sessions", "type"): "schoolYear",
    ("oneroster/enrollments", "role"): "student",
    ("oneroster/line_items", "resultValueMin"): "0",
    ("oneroster/line_items", "resultValueMax"): "100",
    ("oneroster/results", "scoreStatus"): "fully graded",
    ("oneroster/roles", "role"): "student",
    ("oneroster/users", "role"): "student",
    ("overrides/mastery_overrides", "action"): "set",
    ("overrides/mastery_overrides", "state"): "mastered",
    ("star/overall", "AssessmentStatus"): "Active",
    ("star/overall", "DeactivationReason"): "",
    ("canvas/outcome_results", "learning outcome rating"): "",
    ("state/co_cmas", "NotTestedCode"): "N",
    ("state/co_cmas", "NotTestedReason"): "",
    ("state/co_cmas", "VoidScoreCode"): "N",
    ("state/co_cmas", "VoidScoreReason"): "",
    ("state/co_cmas", "CalculatedInvalidation"): "Valid Score",
    ("state/co_cmas", "ReportSuppressionCode"): "",
    ("state/co_cmas", "ReportSuppressionAction"): "",
    ("state/in_ilearn", "Test name"): "ILEARN A1 Grade 6",
}
_UNREADABLE = {
    **{"date": "INVALID_DATE", "year": "INVALID_DATE", "datetime": "INVALID_DATETIME"},
    **{"float": "INVALID_NUMBER", "integer": "INVALID_NUMBER", "bool": "INVALID_BOOLEAN"},
}
_RANGE = ("resultValueMin", "resultValueMax")
LISTS = ("list", "reflist")
LAST_DAYS = ("endDate", "dueDate")
"""Columns whose day is not before that of another, which is plain here."""
_DATES_OF_EVENTS = ("scoreDate", "effectiveAt")
_REJECTED_ALWAYS = frozenset({"score", "resultValueMin", "resultValueMax"})
"""What costs the record in every version where it cannot be read: an older score stays."""
_SAME = {
    "datetime": ("2026-08-30T10:00:00.123456000Z", "2026-08-30T05:00:00.123456-05:00"),
    "float": ("50.0", "5e1", "+50"),
}
"""Other spellings of the plain value."""
_LONG = "x" * 50_000
_FAR_DATES = ("9999-12-31", "9999-12-30", "2028-02-29")
_FAR_TIMES = ("9999-12-31T23:59:59-14:00", "9999-12-31 00:00:00.000001+14", "9999-12-31T24:00:00")
_KEPT = {
    "float": ("999999999999", "-999999999999.999999", "5e11", "1e-400", "0.0000001", "-0"),
    "integer": ("2147483647", "-2147483648"),
    "year": ("9999", "0000"),
    "date": _FAR_DATES,
    "datetime": (*_FAR_DATES, *_FAR_TIMES, f"2026-08-30T10:00:00.{'1' * 300}Z"),
    "string": (_LONG,),
    "list": (_LONG, "a," * 5_000),
    "reflist": (_LONG, "a," * 5_000),
    "id": (_LONG,),
    "ref": (_LONG,),
}
"""Values at the edge of what a type can hold, and texts that are long."""
_OVERFLOWING = ("10000-01-01", "20270-06-30", "999999-1-1", "infinity", "epoch", "2026-02-29")
_BEYOND = {
    "float": ("1e12", "-1e12", "1e308", "-1e400", "nan", "inf", "infinity", "9" * 400, "0x1"),
    "integer": ("2147483648", "-2147483649", "99999999999", "1e400", "nan", "0.5"),
    "year": ("99999", "9999-10000", "nan"),
    "date": (*_OVERFLOWING, "2026-08-20 (BC)"),
    "datetime": (
        *_OVERFLOWING,
        *("290309-12-22 (BC) 00:00:00", "294247-01-10 04:00:54.775806", "-infinity"),
        *("2026-08-30T10:00:00+99:99", "2026-08-30T10:00:00-14:01", "2026-08-30T23:59:60Z"),
    ),
}
"""Values that no type holds, or that mean nothing: the engine reads some of them all the same."""
_BEFORE_ANY = ("0000-01-01", "0001-01-01", "1980-12-31")
_SCHOOL_YEARS = ("2026-2028", "9999-10000", "x0000-0001", "Fall\n2026-2027", "٢٠٢٦-٢٠٢٧")
_ANYTHING = ("", "\t", "\u00a0", "a\0b", "soon", "|", "=1+1", "x" * 5_000, *_SCHOOL_YEARS)
"""Texts for a column of any type."""
_US_DATES = (
    *("12/31/9999", "12/30/9999", "1/1/10000", "0/0/0000", "01/01/0001", "2/29/2026", "13/1/2026"),
    *("2/29/2028", "12/31/1980", "1/1/1981", "1/1/-999", "8/20/26"),
)
_DIGIT_DATES = ("12319999", "01010001", "00000000", "02292026", "13012026", "2292028", "8202026")
_TIMES_OF_DAY = (
    "24:00:00",
    "23:59:59",
    "23:59:60",
    "0:00:00",
    "8:54",
    "-1:00:00",
    "8:54:50.5",
    "1e3",
)
POISON = {
    kind: (*_ANYTHING, *_KEPT.get(kind, ()), *_SAME.get(kind, ()), *_BEYOND.get(kind, ()))
    for kind in (*_PLAIN, "enum", "reflist", "ref")
} | {
    "us_date": (*_ANYTHING, *_US_DATES, *_OVERFLOWING),
    "digit_date": (*_ANYTHING, *_DIGIT_DATES, *_OVERFLOWING),
    "time": (*_ANYTHING, *_TIMES_OF_DAY),
}
_CELLS = ("EX", "ex", "N/A", "8,50", "1.234,5", "1,234.5", "50%", "A-", "complete", "-0,0", "1e12")
"""What the cells of a gradebook may hold besides."""
POISON["integer"] += ("-1", "200", "201", "1000000000", "999999999", "5.000", "+7")
"""By the kind of a column: whatever a vendor may write there, of which any may be what it likes."""


@dataclass(frozen=True)
class Odd:
    """One odd value: the record that has it, its column, and what must come of the record.

    `effect` is `harmless`, `left out`, `kept`, `rejected` or `malformed`; `code` is what is said
    of it.
    """

    feed: str
    key: str
    column: Column
    value: str
    effect: str
    code: str | None


def plain_record(layout: Layout, key: str, mode: str) -> dict[str, str]:
    """Return a record that is as it should be; it refers to the records `1` of other feeds."""
    record = {}
    for column in layout.columns:
        value = ""
        if column.is_key:
            value = key
        elif column.name in ("status", "dateLastModified"):
            value = {"bulk": "", "delta": _PLAIN["datetime"]}[mode]
            value = "active" if value and column.name == "status" else value
        elif column.staged_as:
            value = _CHOSEN.get((layout.feed, column.name), "")
            value = value or (column.allowed_values[0] if column.data_type == "enum" else "")
            is_own = column.references == layout.feed
            value = value or ("1" if column.references and not is_own else "")
            value = value or _PLAIN.get(column.data_type, "")
        record[column.name] = value
    return record


def odd_values(layout: Layout, mode: str) -> Iterator[Odd]:
    """Yield every odd value of a layout."""
    number = 1
    for column in layout.columns:
        if not column.staged_as:
            continue
        plain = plain_record(layout, "k", mode)[column.name]
        for value, effect, code in _oddities(column, plain, mode):
            number += 1
            key = str(number)
            shown = value.replace("KEY", key)
            yield Odd(layout.feed, key, column, shown, effect, code)


def _oddities(column: Column, plain: str, mode: str) -> Iterator[tuple[str, str, str | None]]:
    is_required = (
        column.requirement == "yes"
        or column.name in _REJECTED_ALWAYS
        or (mode == "delta" and column.name == "dateLastModified")
    )
    text = "KEY" if column.is_key else plain
    if column.is_key or column.data_type in ("id", "ref", "reflist"):
        yield "a\0b", "malformed", None
    if column.is_key or plain:
        for before, after in (("\t", ""), ("", "\t"), ("\u00a0", " "), ("\ufeff", "\u2003")):
            yield before + text + after, "harmless", None
    if column.requirement == "yes":
        for blank in ("", "\t", "\u00a0"):
            yield blank, "rejected", "REQUIRED_MISSING"
    if column.data_type in ("enum", "bool") and plain:
        for other in {plain.upper(), plain.title()} - {plain}:
            yield other, "harmless", "WRONG_CASE"
    if column.data_type == "enum":
        yield "nonsense", "rejected", "VALUE_NOT_ALLOWED"
    if column.data_type in _UNREADABLE and column.requirement != "in_part":
        code = _UNREADABLE[column.data_type] if is_required else "OPTIONAL_VALUE_IGNORED"
        for value in ("soon", *_BEYOND.get(column.data_type, ())):
            yield value, "rejected" if is_required else "left out", code
    if plain == _PLAIN.get(column.data_type):
        for value in _SAME.get(column.data_type, ()):
            yield value, "harmless", None
    for value in _KEPT.get(column.data_type, ()):
        is_late = column.name in _DATES_OF_EVENTS or column.name == "dateLastModified"
        is_late &= not value.startswith("2026")
        code = "EVENT_IN_FUTURE" if column.name in _DATES_OF_EVENTS else "MODIFIED_IN_FUTURE"
        yield f"KEY{value}" if column.is_key else value, "kept", code if is_late else None
    if column.data_type in LISTS:
        for value in ("a;b", "a|b", "a,b; c"):
            yield value, "kept", "LIST_SEPARATOR"
    if column.name in LAST_DAYS:
        yield "2026-08-19", "kept", "DATES_REVERSED"
    if column.data_type in ("date", "datetime"):
        is_event = column.name in _DATES_OF_EVENTS
        for value in _BEFORE_ANY:
            code = "EVENT_DATE_IMPLAUSIBLE" if is_event else "DATE_IMPLAUSIBLE"
            yield value, "rejected" if is_event else "left out", code


def _results_of_odd_work(plain: dict[str, str], odd: list[Odd]) -> Iterator[dict[str, str]]:
    """Yield graded results of each line item whose range is odd, with scores as odd."""
    of_range = [item for item in odd if item.effect == "kept" and item.column.name in _RANGE]
    for item in of_range:
        for number, score in enumerate(("50", *_KEPT["float"])):
            key = f"{item.key} {number}"
            yield plain | {"sourcedId": key, "lineItemSourcedId": item.key, "score": score}


def files(
    contracts: Contracts, version: str, mode: str, *, is_odd: bool
) -> tuple[dict[str, str], list[Odd]]:
    """Return a whole export as text by file name, with what is odd in it, or would be."""
    found: list[Odd] = []
    texts = {}
    for feed in contracts.feeds:
        layouts = {layout.version: layout for layout in contracts.versions(feed.feed)}
        layout = layouts.get(version, layouts.get("1"))
        if feed.family not in ROSTER_FAMILIES or not feed.is_staged or layout is None:
            continue
        odd = list(odd_values(layout, mode))
        found += odd
        records = [plain_record(layout, "1", mode)]
        for item in odd:
            record = plain_record(layout, item.key, mode)
            records.append(record | ({item.column.name: item.value} if is_odd else {}))
        # So many that the odd values of a column are never most of it.
        records += [plain_record(layout, f"also {number}", "delta") for number in range(40)]
        if feed.feed == "oneroster/results":
            records += _results_of_odd_work(records[0], found)
        texts[feed.file_name] = as_csv(records)
    return texts, found


def poisoned(layout: Layout, student_columns: Collection[str]) -> list[dict[str, str]]:
    """Return records of an assessment, of which each has one value that may be anything.

    Args:
        layout: that of the file.
        student_columns: those that hold the id of a student: `k0`, `k1` and so on.
    """
    usual = _PLAIN | {
        "us_date": "08/20/2026",
        "digit_date": "08202026",
        "time": "08:54:50",
        "integer": "80",
    }
    staged = [column for column in layout.columns if column.staged_as]
    chosen = [(column, value) for column in staged for value in POISON[column.kind]]
    records = []
    for number, (odd, value) in enumerate([*((None, "") for _ in range(40)), *chosen]):
        record = dict.fromkeys(layout.names, "")
        for column in staged:
            record[column.name] = (
                f"k{number}"
                if column.name in student_columns or (column.is_key and column.data_type == "id")
                else "Fall 2026-2027"
                if column.name == "TermName"
                else _CHOSEN.get(
                    (layout.feed, column.name),
                    usual.get(column.kind, next(iter(column.allowed_values), "A1")),
                )
            )
        records.append(record | ({odd.name: value} if odd else {}))
    return records


def poisoned_grid() -> str:
    """Return a gradebook of which each cell, or the points of its column, may be anything."""
    values = ("50", *POISON["float"], *_CELLS)
    head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    titles = [f"Work {number} ({number})" for number, _ in enumerate(values, 1)]
    points = dict(zip(titles, ("100", *values[1:]), strict=True))
    records = [dict.fromkeys(head, "") | {"Student": "    Points Possible"} | points]
    for number, value in enumerate([*values, *["50"] * 40]):
        who = {"Student": "A1, A1", "ID": f"k{number}", "SIS User ID": f"k{number}"}
        said = {"SIS Login ID": value, "Section": value}
        records.append(who | said | dict.fromkeys(titles, "50") | {titles[0]: value})
    return as_csv(records)


def as_csv(records: list[dict[str, str]]) -> str:
    """Write records as a vendor does."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return stream.getvalue()


def all_blank(contracts: Contracts, feed: str, version: str) -> str:
    """Return a file of which every record lacks what the layout requires."""
    layouts = {layout.version: layout for layout in contracts.versions(feed)}
    layout = layouts.get(version, layouts.get("1"))
    assert layout is not None
    required = [
        column.name
        for column in layout.columns
        if column.requirement == "yes" and not column.is_key and column.staged_as
    ]
    return as_csv(
        [plain_record(layout, str(number), "bulk") | {required[0]: ""} for number in (1, 2, 3)]
    )

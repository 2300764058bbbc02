"""Exports in which each value of each staged column is odd once, in a record of its own.

What is odd follows from the layouts: by type, requirement and allowed values. An odd value is
`harmless`, when the row of its record must be that of the same record without it, or `left out`,
when the row is the same but for that column, or it costs the record.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from rollcall.contracts.layouts import Column, Layout
from rollcall.contracts.project import Contracts

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
}
_UNREADABLE = {
    **{"date": "INVALID_DATE", "year": "INVALID_DATE", "datetime": "INVALID_DATETIME"},
    **{"float": "INVALID_NUMBER", "integer": "INVALID_NUMBER", "bool": "INVALID_BOOLEAN"},
}
_REJECTED_ALWAYS = frozenset({"score", "resultValueMin", "resultValueMax"})
"""What costs the record in every version where it cannot be read: an older score stays."""
_SAME = {
    "datetime": ("2026-08-30T10:00:00.123456000Z", "2026-08-30T05:00:00.123456-05:00"),
    "float": ("50.0", "5e1", "+50"),
}
"""Other spellings of the plain value."""


@dataclass(frozen=True)
class Odd:
    """One odd value: the record that has it, its column, and what must come of the record.

    `effect` is `harmless`, `left out`, `rejected` or `malformed`; `code` is what is said of it.
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
        yield "soon", "rejected" if is_required else "left out", code
    if plain == _PLAIN.get(column.data_type):
        for value in _SAME.get(column.data_type, ()):
            yield value, "harmless", None


def files(
    contracts: Contracts, version: str, mode: str, *, is_odd: bool
) -> tuple[dict[str, str], list[Odd]]:
    """Return a whole export as text by file name, with what is odd in it, or would be."""
    found: list[Odd] = []
    texts = {}
    for feed in contracts.feeds:
        layouts = {layout.version: layout for layout in contracts.versions(feed.feed)}
        layout = layouts.get(version, layouts.get("1"))
        if not feed.is_staged or layout is None:
            continue
        odd = list(odd_values(layout, mode))
        found += odd
        records = [plain_record(layout, "1", mode)]
        for item in odd:
            record = plain_record(layout, item.key, mode)
            records.append(record | ({item.column.name: item.value} if is_odd else {}))
        texts[feed.file_name] = as_csv(records)
    return texts, found


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

"""Files of a delivery as records, and which of them a row of `faults.csv` chooses.

A record stays bytes and is never decoded, so what a fault does not touch stays as it is.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

_COMMA = re.compile(rb',(?=(?:[^"]*"[^"]*")*[^"]*$)')  # outside of quotes
_REFERENCE = re.compile(r"\{(\w+)\.(\w+)(?:/(\d+))?\}")
_ESCAPE = re.compile(rb"\\(?:x([0-9a-f]{2})|n|r)")
_CONDITION = re.compile(r"(\w+) (=|<|>|~|in|not in) (.+)")
_CHOICE = re.compile(
    r"(?:(?P<kept>\w+): )?(?:(?P<bulk>all|untouched|last of each (?P<each>\w+))"
    r"|(?P<first>first)|(?P<last>last)(?: but (?P<back>\d+))?|from (?P<share>\d+)%|same)"
)


@dataclass(eq=False, slots=True)
class Record:
    """One record as bytes, line end included; several physical lines when a field holds one."""

    data: bytes
    is_touched: bool = False

    @property
    def fields(self) -> list[bytes]:
        """The fields as they are written, quotes included."""
        line = self.data.removesuffix(b"\n")
        return _COMMA.split(line) if b'"' in line else line.split(b",")

    @property
    def key(self) -> bytes:
        """The first field, which is the sourcedId in files of OneRoster."""
        return self.data.split(b",", 1)[0]

    def write(self, fields: Iterable[bytes]) -> None:
        """Replace the fields, as they are, without quoting."""
        self.data = b",".join(fields) + b"\n"


@dataclass(slots=True)
class Sheet:
    """Records with the names of their columns: a file taken apart, or what was kept of one."""

    header: Record
    columns: list[str]
    records: list[Record]

    @classmethod
    def read(cls, content: bytes) -> "Sheet":
        """Take a file apart in which every line is a record."""
        header, *records = [Record(line) for line in content.splitlines(keepends=True)]
        return cls(header, header.data.decode().strip().split(","), records)

    @property
    def lines(self) -> list[Record]:
        """The header and the records."""
        return [self.header, *self.records]

    def name_of(self, record: Record) -> bytes:
        """Return what the catalogue calls a record: the key by which it is told from others."""
        if "TestStartDate" not in self.columns:
            return record.key
        month, day, year = self.get(record, "TestStartDate").split(b"/")
        parts = [self.get(record, column) for column in ("TermName", "StudentID", "TestName")]
        time = self.get(record, "TestStartTime")
        return b" | ".join([*parts, b"-".join((year, month, day)), time])

    def place(self, column: str) -> int:
        """Return where a column stands, from 0."""
        if column not in self.columns:
            raise ValueError(f"there is no column {column!r}")
        return self.columns.index(column)

    def get(self, record: Record, column: str) -> bytes:
        """Return a field."""
        return record.fields[self.place(column)]

    def set(self, record: Record, column: str, value: bytes) -> None:
        """Replace a field, as it is, without quoting."""
        fields = record.fields
        fields[self.place(column)] = value
        record.write(fields)


class Memory:
    """Records that rows kept under a name, as they were before the row changed them."""

    def __init__(self) -> None:
        self._kept: dict[str, Sheet] = {}

    def keep(self, name: str, columns: list[str], rows: Iterable[bytes]) -> None:
        """Add rows to those of a name."""
        kept = self._kept.setdefault(name, Sheet(Record(b""), columns, []))
        kept.records += [Record(row) for row in rows]

    def fill(self, text: str) -> bytes:
        """Put kept values in place of references and bytes in place of escapes."""

        def value(reference: re.Match[str]) -> str:
            name, column, part = reference.groups()
            found = self._values(name, column)[-1].decode()
            return found.split("-")[int(part)] if part else found

        def byte(escape: re.Match[bytes]) -> bytes:
            if escape[1]:
                return bytes.fromhex(escape[1].decode())
            return b"\n" if escape[0] == b"\\n" else b"\r"

        return _ESCAPE.sub(byte, _REFERENCE.sub(value, text).encode())

    def choose(
        self, sheet: Sheet, same: list[Record], records: str, where: str
    ) -> tuple[Sheet, list[Record], bool]:
        """Return the chosen records, the sheet they are of, and whether they are meant singly.

        Raises:
            ValueError: a word or a condition cannot be read, or no record fits.
        """
        words = _CHOICE.fullmatch(records)
        if not words:
            raise ValueError(f"records says {records!r}")
        source = self._sheet(words["kept"]) if words["kept"] else sheet
        candidates = same if records == "same" else source.records
        if words["share"]:
            start = int(int(words["share"]) / 100 * len(candidates))
            candidates = candidates[start:] + candidates[:start]
            candidates = [record for record in candidates if b'"' not in record.data]
        if words["share"] or words["bulk"] == "untouched":
            candidates = [record for record in candidates if not record.is_touched]
        fits = self._condition(source, where)
        chosen = [record for record in candidates if fits(record)]
        if words["each"]:
            chosen = list({source.get(record, words["each"]): record for record in chosen}.values())
        elif words["share"] or words["first"]:
            chosen = chosen[:1]
        elif words["last"]:
            chosen = chosen[::-1][int(words["back"] or 0) :][:1]
        if not chosen:
            raise ValueError("no record fits")
        for record in [] if words["bulk"] else chosen:
            record.is_touched = True
        return source, chosen, not words["bulk"]

    def _condition(self, sheet: Sheet, where: str) -> Callable[[Record], bool]:
        tests = [self._test(sheet, text) for text in where.split(" and ")] if where else []
        return lambda record: all(test(record) for test in tests)

    def _test(self, sheet: Sheet, text: str) -> Callable[[Record], bool]:
        parsed = _CONDITION.fullmatch(text)
        if not parsed:
            raise ValueError(f"where says {text!r}")
        column, operator, operand = parsed.groups()
        if operator.endswith("in"):
            values = set(self._values(*operand.split(".", 1)))
            return lambda record: (sheet.get(record, column) in values) == (operator == "in")
        value = self.fill(operand)
        compare: dict[str, Callable[[bytes], bool]] = {
            "=": lambda found: found == value,
            "<": lambda found: float(found) < float(value),
            ">": lambda found: float(found) > float(value),
            "~": lambda found: re.match(value, found) is not None,
        }
        return lambda record: compare[operator](sheet.get(record, column))

    def _values(self, name: str, column: str) -> list[bytes]:
        sheet = self._sheet(name)
        return [sheet.get(record, column) for record in sheet.records]

    def _sheet(self, name: str) -> Sheet:
        if name not in self._kept:
            raise ValueError(f"nothing is kept as {name!r}")
        return self._kept[name]

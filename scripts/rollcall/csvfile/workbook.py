"""Workbooks: a record is a row of a sheet, its fields are the texts of its cells.

Rows are counted as the sheet counts them, and stand for lines; bytes have no place in a workbook.
Rows and columns that are hidden count like any other.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import BinaryIO

import numpy as np

from rollcall.csvfile.blanks import hides, trimmed
from rollcall.csvfile.framing import (
    Framer,
    Header,
    HeaderError,
    MalformedRecords,
    StructuralRecords,
    TextFrame,
)
from rollcall.csvfile.records import Defect, number_of
from rollcall.csvfile.sheets import Sheet, SheetError

_ROWS = 1000
_CHARACTERS = 1 << 24
"""How many rows, or characters of them, are read at once."""
_Row = tuple[int, dict[int, str]]


class WorkbookFramer(Framer):
    """Reads the rows of one sheet.

    Raises:
        HeaderError: the workbook, the sheet or its header cannot be read.
    """

    def read_header(self) -> tuple[Header, bytes, bool]:
        """Pass over the preamble, and read the header behind it."""
        self.encoding = "utf-8"
        try:
            self._sheet = Sheet(self.stream, self.form.sheet if self.form else "")
        except SheetError as error:
            raise HeaderError(error.code, str(error)) from error
        self._walk, self._walked_count = self._sheet.rows(), 0
        line = 1 + (self.form.preamble_lines if self.form else 0)
        before: list[int] = []
        texts: dict[int, str] = {}
        for number, cells in self._sheet.rows():
            if number >= line:
                texts = cells if number == line else {}
                break
            before.append(number)
        if not texts:
            raise HeaderError("HEADER_UNREADABLE", f"Row {line} of the sheet is blank.")
        names = [trimmed(texts.get(place, "")) for place in range(max(texts) + 1)]
        while names and not names[-1]:
            names.pop()
        if not names:
            raise HeaderError("HEADER_UNREADABLE", f"Row {line} of the sheet names no column.")
        self._preamble = _structural(range(1, len(before) + 1), before)
        self.record_count = self.structural_count = len(before)
        self.blank_line_count = line - 1 - len(before)
        return Header(tuple(names), 0, 0, line, False, b"\t", 0, line), b"", True

    def __iter__(self) -> Iterator[TextFrame]:
        """Yield the records of the sheet, some at once."""
        if len(self._preamble):
            none = np.empty(0, np.int64)
            yield TextFrame(none, none, none, [], _malformed([]), self._preamble)
        rows = (row for row in self._sheet.rows() if row[0] > self.header.line_number)
        following = list(islice(rows, 1))
        while following:
            some = [*following, *self._some(rows)]
            following = list(islice(rows, 1))
            yield self._read(some, is_last=not following)

    def _some(self, rows: Iterator[_Row]) -> Iterator[_Row]:
        """Yield as many rows as are read at once; of long ones, fewer."""
        room = _CHARACTERS
        for line, cells in islice(rows, _ROWS):
            yield line, cells
            room -= min(sum(map(len, cells.values())), self.max_record_bytes)
            if room < 0:
                return

    def _read(self, rows: list[_Row], *, is_last: bool) -> TextFrame:
        good: list[tuple[int, int]] = []
        texts: list[list[str | None]] = []
        bad: list[tuple[int, int, Defect]] = []
        passed_over: list[tuple[int, int]] = []
        is_alone = is_last and len(rows) == 1 and self.record_count == self.structural_count
        for number, (line, cells) in enumerate(rows, self.record_count + 1):
            found = self._judge(cells)
            if self._is_structural(cells.get(0, ""), is_alone=is_alone):
                passed_over.append((number, line))
            elif isinstance(found, Defect):
                bad.append((number, line, found))
            else:
                good.append((number, line))
                texts.append(found)
        self.record_count += len(rows)
        self.malformed_count += len(bad)
        self.structural_count += len(passed_over)
        self.blank_line_count += rows[-1][0] - self.line_count - len(rows)
        self.line_count = rows[-1][0]
        numbers, lines = (np.array([at[place] for at in good], np.int64) for place in (0, 1))
        return TextFrame(
            numbers,
            lines,
            np.zeros(len(good), np.int64),
            [list(column) for column in zip(*texts, strict=True)],
            _malformed(bad),
            _structural([n for n, _ in passed_over], [n for _, n in passed_over]),
        )

    def _judge(self, cells: dict[int, str]) -> Defect | list[str | None]:
        """Return the texts of a row, one for each column, or say what is wrong with it."""
        width = len(self.header.names)
        if any(place >= width for place in cells):
            return Defect.TOO_MANY_FIELDS
        if sum(map(len, cells.values())) > self.max_record_bytes:
            return Defect.RECORD_TOO_LONG
        try:
            byte_count = sum(len(text.encode()) for text in cells.values())
        except UnicodeEncodeError:
            return Defect.BAD_BYTES
        if byte_count > self.max_record_bytes:
            return Defect.RECORD_TOO_LONG
        if any(hides(cells.get(place, "")) for place in self.seen_places):
            return Defect.UNSEEN_CHARACTER
        return [cells.get(place) for place in range(width)]

    def _is_structural(self, first: str, *, is_alone: bool) -> bool:
        if self.form is None:
            return False
        patterns = (self.form.structural, self.form.nothing if is_alone else None)
        return any(pattern is not None and pattern.search(first) for pattern in patterns)

    def original(
        self, stream: BinaryIO, record_number: int, byte_offset: int, byte_length: int | None
    ) -> bytes:
        """Write a row as the sheet shows it, with tabs between its cells."""
        if record_number <= self._walked_count:
            self._walk, self._walked_count = self._sheet.rows(), 0
        for line, cells in self._walk:
            self._walked_count += line != self.header.line_number
            if self._walked_count == record_number and line != self.header.line_number:
                return _line_of(cells)
        return b""

    def header_line(self, stream: BinaryIO, most_bytes: int) -> bytes:
        """Write the header as the sheet shows it."""
        return _line_of(dict(enumerate(self.header.names)))[:most_bytes]


_LINE_END = "\r\n"


def _line_of(cells: dict[int, str]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter="\t", lineterminator=_LINE_END)
    writer.writerow(cells.get(place, "") for place in range(max(cells) + 1))
    return stream.getvalue().removesuffix(_LINE_END).encode("utf-8", "replace")


def _structural(numbers: Sequence[int], lines: Sequence[int]) -> StructuralRecords:
    nowhere = np.zeros(len(lines), np.int64)
    return StructuralRecords(
        np.array(numbers, np.int64), np.array(lines, np.int64), nowhere, nowhere
    )


def _malformed(rows: Sequence[tuple[int, int, Defect]]) -> MalformedRecords:
    nowhere = np.zeros(len(rows), np.int64)
    return MalformedRecords(
        np.array([number for number, _, _ in rows], np.int64),
        np.array([line for _, line, _ in rows], np.int64),
        nowhere,
        nowhere,
        np.array([number_of(defect) for _, _, defect in rows], np.uint8),
    )

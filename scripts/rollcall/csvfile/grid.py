"""Grids: delimited text in which each cell of some columns is a record, such as a gradebook.

A line is about one student, and a column about one assignment. The columns of the layout are those
that every record of a line shares; then, in brackets, what the header of a cell's column says, by
the groups of `cells`, and the cell itself; then lines above the others that say something of each
column, such as the points that it gives, by their first field. A line that is malformed or passed
over is one record.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import BinaryIO

import numpy as np

from rollcall.csvfile.blanks import trimmed
from rollcall.csvfile.framing import Frame, Framer, Header, TextFrame

CELL = "[cell]"
"""The column of a layout that holds the cell."""
_Cell = tuple[int, dict[str, str | None]]
"""The place of a column, and what its name says."""


class _Lines(Framer):
    """Reads the lines of a grid, and keeps the block that the last frame was cut from."""

    block = b""
    block_start = 0

    def frame(self, data: bytes, is_at_end: bool) -> tuple[int, Frame | TextFrame | None]:
        """Frame the complete records of `data`, as any CSV."""
        self.block, self.block_start = data, self.byte_count
        return super().frame(data, is_at_end)

    def fields_at(self, offset: int, end: int | None) -> list[str]:
        """Read the fields of a record of the block; none of one that is too long for any."""
        start = offset - self.block_start
        if start < 0:
            return []
        return self.fields(self.block[start : None if end is None else end - self.block_start])


class GridFramer(Framer):
    """Reads the cells of a grid, line by line.

    Raises:
        HeaderError: the header cannot be read.
    """

    def read_header(self) -> tuple[Header, bytes, bool]:
        """Read the header, and find the columns whose cells are records."""
        self._lines = _Lines(
            self.stream, self.encoding, self.block_bytes, self.max_record_bytes, self.form
        )
        header = self._lines.header
        names = self.form.names if self.form else ()
        pattern = self.form.cells if self.form else None
        self._places = {name: place for place, name in enumerate(header.names) if name in names}
        self._cells: list[_Cell | None] = [
            (place, {f"[{group}]": text for group, text in found.groupdict().items()})
            for place, name in enumerate(header.names)
            if pattern is not None and (found := pattern.search(name))
        ]
        shared = names[: names.index(CELL)] if CELL in names else names
        absent = {name for name in shared if name[:1] != "[" and name not in self._places}
        self._headings: dict[str, list[str]] = {}
        self._written: dict[int, bytes] = {}
        self._texts: dict[bytes, list[str]] = {}
        kept = tuple(name for name in names if name not in absent)
        return replace(header, names=kept), b"", True

    @property
    def preamble_count(self) -> int:
        """How many structural records stand before the header."""
        return self._lines.preamble_count

    def __iter__(self) -> Iterator[TextFrame]:
        """Yield the cells of the file, some lines at once; the counts are final afterwards."""
        lines = self._lines
        seen = [self._places.get(self.header.names[place]) for place in self.seen_places]
        lines.seen_places = tuple(place for place in seen if place is not None)
        for frame in lines:
            self.malformed_count = lines.malformed_count
            self.structural_count = lines.structural_count
            yield self._cut(frame)
        self.blank_line_count = lines.blank_line_count
        self.line_count, self.byte_count = lines.line_count, lines.byte_count

    def _cut(self, frame: Frame | TextFrame) -> TextFrame:
        """Cut lines into cells, and number these and all other lines in the order of the file."""
        parts = (frame, frame.structural, frame.malformed)
        lines = sorted(
            (number, line, offset, part)
            for part, of_part in enumerate(parts)
            for number, line, offset in zip(
                of_part.record_number.tolist(),
                of_part.line_number.tolist(),
                of_part.byte_offset.tolist(),
                strict=True,
            )
        )
        records: list[tuple[int, int, int]] = []
        texts: list[list[str | None]] = []
        aside: tuple[list[int], list[int], list[int]] = ([], [], [])
        for (_, line, offset, part), following in zip_longest(lines, lines[1:]):
            fields = self._lines.fields_at(offset, following[2] if following else None)
            if part == 1:
                self._headings[trimmed(fields[0]) if fields else ""] = fields
            for cell in (None,) if part else self._cells:
                self.record_count += 1
                aside[part].append(self.record_count)
                if cell:
                    records.append((self.record_count, line, offset))
                    texts.append(self._record(fields, *cell))
        numbers, of_line, offsets = np.array(records, np.int64).reshape(-1, 3).T
        return TextFrame(
            numbers,
            of_line,
            offsets,
            [list(column) for column in zip(*texts, strict=True)],
            replace(frame.malformed, record_number=np.array(aside[2], np.int64)),
            replace(frame.structural, record_number=np.array(aside[1], np.int64)),
        )

    def _record(
        self, fields: list[str], place: int, said: dict[str, str | None]
    ) -> list[str | None]:
        """Return the texts of a cell, one for each column; None for a blank."""
        said = said | {CELL: fields[place]}
        for name, heading in self._headings.items():
            said[name] = heading[place] if place < len(heading) else None
        return [
            (fields[self._places[name]] if name in self._places else said.get(name)) or None
            for name in self.header.names
        ]

    def original(
        self, stream: BinaryIO, record_number: int, byte_offset: int, byte_length: int | None
    ) -> bytes:
        """Write a cell with what belongs to it as a line; cut any other record as delivered."""
        if byte_length is not None:
            return super().original(stream, record_number, byte_offset, byte_length)
        if not self._written:
            stream.seek(0)
            for frame in GridFramer(stream, self.encoding, form=self.form):
                for number, *texts in zip(
                    frame.record_number.tolist(), *frame.columns, strict=True
                ):
                    fields = [text or "" for text in texts]
                    self._written[number] = self._line_of(fields)
                    self._texts[self._written[number]] = fields
        return self._written[record_number]

    def _line_of(self, fields: list[str]) -> bytes:
        stream = io.StringIO(newline="")
        csv.writer(stream, delimiter=self.header.delimiter.decode()).writerow(fields)
        return stream.getvalue().rstrip("\r\n").encode(self.encoding)

    def fields(self, record: bytes, most: int | None = None) -> list[str]:
        """Return the texts of a cell that `original` has written; none of another record."""
        return self._texts.get(record, [])[:most]

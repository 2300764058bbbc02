"""Framing: from bytes to records, strictly by RFC 4180, on the bytes as delivered.

A record starts at the start of a physical line. Its fields are separated by commas, or by what
separates the names of the header, and are either unquoted (no quote at all) or quoted (`""` stands
for a quote, line ends may stand inside). LF, CRLF and CR end a line. A record whose quote does not
close, or closes before other text, or that has a quote inside an unquoted field, is cut at its
first line end, and reading goes on with the next line: one bad record never takes its neighbours
with it. Blank lines are counted; they are no records, nor is the byte 0x1A at the very end, by
which programs of DOS times mark it.

A layout may declare that lines before the header, or records behind it, are structural: they are
counted and passed over.

The work is done on whole blocks with numpy; `records.py` says which lines make which record.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from rollcall.csvfile.blanks import hiding_records, trimmed
from rollcall.csvfile.form import Form
from rollcall.csvfile.records import (
    DEFECTS,
    Defect,
    Defects,
    Flags,
    Lines,
    Positions,
    Records,
    find_lines,
    find_records,
    number_of,
    settled,
)

SUPPORTED_ENCODINGS = frozenset(
    {"utf-8", "cp1252", "latin-1", "iso-8859-15", "mac_roman", "cp437", "cp850"}
)
"""UTF-8 and single-byte encodings in which commas, quotes and line ends are ASCII."""

MAX_RECORD_BYTES = 1 << 20
PADDING = 16
"""Zero bytes behind the data of a frame, so that 16 bytes can be read at any position of it."""

_BLOCK_BYTES = 2 << 20
_FIRST_BYTES = 4096
BOM = b"\xef\xbb\xbf"
END_MARK = b"\x1a"
"""Ctrl-Z: as the last byte of a file it says that the file was written to its end."""
_QUOTED = re.compile(rb'"(?:[^"]|"")*"')
_IS_BLANK = np.isin(np.arange(256), np.frombuffer(b' \t"', np.uint8))
"""Of each byte: may it stand in a field that holds nothing."""
LINE_END = re.compile(rb"\r\n|\r|\n")
_MOST_NOTHING_BYTES = 4096
"""How much a file that says that there is nothing may hold behind its header."""
_HINT = re.compile(rb"sep=([,;\t|])(?:\r\n|\r|\n)", re.IGNORECASE)
"""A line before the header by which spreadsheets tell the delimiter."""
DELIMITERS = {"comma": b",", "semicolon": b";", "tab": b"\t", "pipe": b"|"}
"""What may stand between fields; none of them is part of a name in a header."""
_FIELDS = {
    delimiter: re.compile(
        rb'(?:"((?:[^"]|"")*)"|([^"\r\n'
        + delimiter
        + rb"]*))("
        + re.escape(delimiter)
        + rb"|\r\n|\r|\n|\Z)"
    )
    for delimiter in DELIMITERS.values()
}


class HeaderError(Exception):
    """The header cannot be read; `code` is EMPTY_FILE or HEADER_UNREADABLE."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Header:
    """Column names without blanks around them, and how many bytes and lines they take.

    The bytes are with BOM, preamble and line end. `unnamed_count` columns at the right have no name
    and are not among `names`. `delimiter` is what stands between names.
    `byte_offset` and `line_number` say where it begins when a preamble stands before it.
    """

    names: tuple[str, ...]
    unnamed_count: int
    byte_length: int
    line_count: int
    has_bom: bool
    delimiter: bytes
    byte_offset: int = 0
    line_number: int = 1


@dataclass(frozen=True, slots=True)
class Malformed:
    """A pointer to a malformed record; its length is without its line end."""

    record_number: int
    line_number: int
    byte_offset: int
    byte_length: int
    code: Defect


@dataclass(frozen=True, slots=True)
class MalformedRecords:
    """Pointers to malformed records, in file order: of each what `Malformed` says, in arrays.

    Attributes:
        record_number, line_number, byte_offset, byte_length: int64 [n].
        defects: uint8 [n], numbers of DEFECTS.
    """

    record_number: Positions
    line_number: Positions
    byte_offset: Positions
    byte_length: Positions
    defects: Defects

    def __len__(self) -> int:
        return len(self.defects)

    def __iter__(self) -> Iterator[Malformed]:
        rows = zip(
            self.record_number.tolist(),
            self.line_number.tolist(),
            self.byte_offset.tolist(),
            self.byte_length.tolist(),
            self.defects.tolist(),
            strict=True,
        )
        for record, line, offset, length, defect in rows:
            yield Malformed(record, line, offset, length, DEFECTS[defect])


@dataclass(frozen=True, slots=True)
class StructuralRecords:
    """Pointers to records that are passed over, in file order: int64 [n] each."""

    record_number: Positions
    line_number: Positions
    byte_offset: Positions
    byte_length: Positions

    def __len__(self) -> int:
        return len(self.record_number)


_NONE = np.empty(0, np.int64)
NO_STRUCTURAL = StructuralRecords(_NONE, _NONE, _NONE, _NONE)


@dataclass(frozen=True, slots=True)
class Frame:
    """The well-formed records of one block, and pointers to the others.

    Attributes:
        data: UTF-8 bytes with PADDING zeros behind them.
        record_number: int64 [n], counted from 1 over the whole file, malformed ones included.
        line_number: int64 [n], physical line on which the record starts.
        byte_offset: int64 [n], where it starts in the file as delivered.
        bounds: int32 [width + 1, n]; field c of a record lies between bounds[c] (the comma before
            it, or the byte before the record) and bounds[c + 1] (the comma or line end behind it).
            Columns without a name have no bounds.
        has_quotes: whether any field of the block is quoted.
        malformed: the malformed records of the block, in file order.
        structural: those that are passed over.
        gap: how many bytes of a bound are no part of the field behind it: 1 for a delimiter.
    """

    data: bytes
    record_number: Positions
    line_number: Positions
    byte_offset: Positions
    bounds: NDArray[np.int32]
    has_quotes: bool
    malformed: MalformedRecords
    structural: StructuralRecords = NO_STRUCTURAL
    gap: int = 1


@dataclass(frozen=True, slots=True)
class TextFrame:
    """Some records whose fields are texts of their own, and no places in a block of bytes.

    `columns` has the texts of each column, None for a blank; all else is as in a `Frame`.
    """

    record_number: Positions
    line_number: Positions
    byte_offset: Positions
    columns: list[list[str | None]]
    malformed: MalformedRecords
    structural: StructuralRecords


class Framer:
    """Reads the header of a CSV at once, and its records frame by frame when iterated.

    Args:
        stream: the file's bytes, from their beginning; need not seek.
        encoding: one of SUPPORTED_ENCODINGS.
        block_bytes: how much is framed at once.
        max_record_bytes: a longer record is malformed; bounds the memory used. Headers have a
            bound of their own, so that a file is readable or not whatever its source's limit.
        form: what the layout declares of its files, if anything.

    Raises:
        HeaderError: the file is empty or its first record is malformed.
    """

    gap = 1

    def __init__(
        self,
        stream: BinaryIO,
        encoding: str = "utf-8",
        block_bytes: int = _BLOCK_BYTES,
        max_record_bytes: int = MAX_RECORD_BYTES,
        form: Form | None = None,
    ) -> None:
        if encoding not in SUPPORTED_ENCODINGS:
            raise ValueError(f"encoding '{encoding}' is not one of {sorted(SUPPORTED_ENCODINGS)}")
        self.stream = stream
        self.encoding = encoding
        self.block_bytes = block_bytes
        self.max_record_bytes = max_record_bytes
        self.form = form
        self._structural = form.structural if form else None
        self._nothing = form.nothing if form else None
        self.record_count = 0
        self.malformed_count = 0
        self.structural_count = 0
        self.blank_line_count = 0
        self._preamble = NO_STRUCTURAL
        self.seen_places: tuple[int, ...] = ()
        """The fields, from 0, in which a character that cannot be seen makes a record malformed."""
        self.header, self._rest, self._is_at_end = self.read_header()
        self.byte_count = self.header.byte_length
        self.line_count = self.header.line_count

    def read_header(self) -> tuple[Header, bytes, bool]:
        """Read the header, and what comes before it; give what else was read, and if it is all."""
        data = b""
        while True:
            chunk = self.stream.read(self.block_bytes)
            data += chunk
            body = data.removeprefix(BOM)
            if not chunk and not body:
                raise HeaderError("EMPTY_FILE", "The file holds no byte.")
            hint = _HINT.match(body)
            start = self.skip_preamble(body, hint.end() if hint else 0)
            declared = DELIMITERS.get(self.form.delimiter) if self.form else None
            line = body[start:] if start else body
            delimiter = hint[1] if hint else _delimiter(line, declared)
            fields, end, is_whole = _scan(body, delimiter, start)
            is_ended = end > start and body[-1:] == b"\n"
            is_settled = is_whole and (end < len(body) or is_ended)
            if is_settled or not chunk or len(data) > MAX_RECORD_BYTES:
                break
        if end > MAX_RECORD_BYTES:
            raise HeaderError(
                "HEADER_UNREADABLE", f"The first line takes more than {MAX_RECORD_BYTES} bytes."
            )
        if not is_whole or (len(fields) == 1 and not fields[0]):
            raise HeaderError(
                "HEADER_UNREADABLE", "The first line is blank, or its quotes do not match."
            )
        try:
            names = [trimmed(name.decode(self.encoding)) for name in fields]
        except UnicodeDecodeError:
            raise HeaderError(
                "HEADER_UNREADABLE", f"The first line cannot be read as {self.encoding}."
            ) from None
        width = len(names)
        while names and not names[-1]:
            names.pop()
        if not names:
            raise HeaderError("HEADER_UNREADABLE", "The first line names no column.")
        bom_length = len(data) - len(body)
        line_count = len(LINE_END.findall(body[:end])) or 1
        length = bom_length + end
        has_preamble = self.form is not None and self.form.preamble_lines > 0
        if has_preamble:
            self.note_preamble(body[:start], bom_length)
        header = Header(
            tuple(names),
            width - len(names),
            length,
            line_count,
            bom_length > 0,
            delimiter,
            bom_length + start if has_preamble else 0,
            1 + len(LINE_END.findall(body[:start])) if has_preamble else 1,
        )
        return header, body[end:], not chunk

    @property
    def preamble_count(self) -> int:
        """How many structural records stand before the header."""
        return len(self._preamble)

    def skip_preamble(self, body: bytes, start: int) -> int:
        """Return where the lines end that stand before the header."""
        for _ in range(self.form.preamble_lines if self.form else 0):
            found = LINE_END.search(body, start)
            start = found.end() if found else len(body)
        return start

    def note_preamble(self, lines: bytes, byte_offset: int) -> None:
        """Count the lines before the header; those that are not blank are structural records."""
        found: list[tuple[int, int, int, int]] = []
        start, line_number = 0, 0
        while start < len(lines):
            ended = LINE_END.search(lines, start)
            end, after = ended.span() if ended else (len(lines), len(lines))
            line_number += 1
            if end > start:
                found.append((len(found) + 1, line_number, byte_offset + start, end - start))
            else:
                self.blank_line_count += 1
            start = after
        self._preamble = StructuralRecords(*np.array(found, np.int64).reshape(-1, 4).T)
        self.record_count = self.structural_count = len(found)

    def __iter__(self) -> Iterator[Frame | TextFrame]:
        """Yield the frames of the file, once; the counts are final afterwards."""
        data, is_at_end = self._rest, self._is_at_end
        self._rest = b""
        if len(self._preamble):
            yield _empty_frame(len(self.header.names), _NO_MALFORMED, self._preamble)
        while self._nothing and not is_at_end and len(data) <= _MOST_NOTHING_BYTES:
            chunk = self.stream.read(self.block_bytes)
            is_at_end = not chunk
            data += chunk
        skipped_from: int | None = None
        mark_length = 0
        while True:
            if is_at_end and data.endswith(END_MARK):
                mark_length, data = len(END_MARK), data[: -len(END_MARK)]
            if skipped_from is not None:
                data, skipped = self._skip_line(data, is_at_end, skipped_from)
                if skipped:
                    skipped_from = None
                    yield skipped
            if skipped_from is None and data:
                used, frame = self.frame(data, is_at_end)
                if frame:
                    yield frame
                data = data[used:]
                self.byte_count += used
                length = settled(data.removesuffix(END_MARK))
                if not is_at_end and length > self.max_record_bytes and not _ends(data):
                    skipped_from = self.byte_count
            if is_at_end and skipped_from is None:
                self.byte_count += mark_length
                return
            chunk = self.stream.read(self.block_bytes)
            is_at_end = not chunk
            data += chunk

    def _skip_line(self, data: bytes, is_at_end: bool, start: int) -> tuple[bytes, Frame | None]:
        """Drop a line that is too long until its end is seen; then report it."""
        found = LINE_END.search(data)
        is_half = found is not None and found.end() == len(data) and data[-1:] == b"\r"
        if not is_at_end and (found is None or is_half):
            keep = 1 if is_half or data.endswith(END_MARK) else 0
            self.byte_count += len(data) - keep
            return data[len(data) - keep :], None
        end, after = (found.start(), found.end()) if found else (len(data), len(data))
        self.record_count += 1
        self.line_count += 1
        self.malformed_count += 1
        record = MalformedRecords(
            np.array([self.record_count]),
            np.array([self.line_count]),
            np.array([start]),
            np.array([self.byte_count + end - start]),
            np.array([number_of(Defect.RECORD_TOO_LONG)], np.uint8),
        )
        self.byte_count += after
        return data[after:], _empty_frame(len(self.header.names), record)

    def frame(self, data: bytes, is_at_end: bool) -> tuple[int, Frame | TextFrame | None]:
        """Frame the complete records of `data`; return how many bytes they take."""
        padded = data + b"\0" * PADDING
        octets = np.frombuffer(padded, np.uint8)
        lines = find_lines(octets, data, is_at_end)
        records = self.find_records(octets, data, lines, is_at_end)
        if records.line_count == 0:
            return 0, None
        used = int(lines.nexts[records.line_count - 1])
        is_last = is_at_end and used == len(data)
        frame = self._cut_fields(padded, octets[: used + PADDING], lines, records, is_last)
        self.record_count += len(records.first_line)
        self.malformed_count += len(frame.malformed)
        self.structural_count += len(frame.structural)
        self.blank_line_count += records.blank_count
        self.line_count += records.line_count
        return used, frame

    def find_records(
        self, octets: NDArray[np.uint8], data: bytes, lines: Lines, is_at_end: bool
    ) -> Records:
        """Join the lines of a block to records."""
        delimiter = ord(self.header.delimiter)
        return find_records(octets, data, lines, is_at_end, self.max_record_bytes, delimiter)

    def _cut_fields(
        self,
        padded: bytes,
        octets: NDArray[np.uint8],
        lines: Lines,
        records: Records,
        is_last: bool,
    ) -> Frame:
        starts = lines.starts[records.first_line]
        ends = lines.ends[records.last_line]
        used = len(octets) - PADDING
        defects = records.defects.copy()
        bounds_of = self.measure(octets, records, starts, ends, defects)
        bad = undecodable(padded, octets[:used], starts, ends, self.encoding)
        bad_bytes = np.fromiter(bad, np.int64)
        defects[bad_bytes[defects[bad_bytes] == 0]] = number_of(Defect.BAD_BYTES)
        is_structural = self._find_structural(padded, starts, ends, is_last)
        is_good = (defects == 0) & ~is_structural
        bounds = bounds_of(is_good)
        if self.encoding != "utf-8":
            padded, bounds = _transcode(padded, octets[:used], self.encoding, bounds, self.gap)
        if self.seen_places:
            spans_lines = len(starts) + records.blank_count < records.line_count
            hiding = np.fromiter(
                hiding_records(
                    padded, bounds, self.seen_places, spans_lines=spans_lines, gap=self.gap
                ),
                np.int64,
            )
            hidden = np.flatnonzero(is_good)[hiding]
            defects[hidden] = number_of(Defect.UNSEEN_CHARACTER)
            is_good[hidden] = False
            bounds = np.delete(bounds, hiding, axis=1)
        is_malformed = ~is_good & ~is_structural
        numbers = self.record_count + 1 + np.arange(len(starts), dtype=np.int64)
        line_numbers = self.line_count + 1 + records.first_line
        offsets = self.byte_count + starts
        lengths = ends - starts
        malformed = MalformedRecords(
            numbers[is_malformed],
            line_numbers[is_malformed],
            offsets[is_malformed],
            lengths[is_malformed],
            defects[is_malformed],
        )
        structural = NO_STRUCTURAL
        if is_structural.any():
            structural = StructuralRecords(
                numbers[is_structural],
                line_numbers[is_structural],
                offsets[is_structural],
                lengths[is_structural],
            )
        return Frame(
            padded,
            numbers[is_good],
            line_numbers[is_good],
            offsets[is_good],
            bounds,
            records.has_quotes,
            malformed,
            structural,
            self.gap,
        )

    def measure(
        self,
        octets: NDArray[np.uint8],
        records: Records,
        starts: Positions,
        ends: Positions,
        defects: Defects,
    ) -> "BoundsOf":
        """Mark records with too few or too many fields; return what gives the others' bounds."""
        width = len(self.header.names)
        used = len(octets) - PADDING
        separators = records.separators[: np.searchsorted(records.separators, used)]
        is_good = defects == 0
        counts = _count_between(separators, starts, ends, width, is_good)
        few = is_good & (counts < width - 1)
        many = np.flatnonzero(is_good & (counts > width - 1))
        field_ends, is_blank = _cut_extra(
            octets, separators, starts, ends, width, many, ord(self.header.delimiter)
        )
        has_room = counts[many] < width + self.header.unnamed_count
        defects[few] = number_of(Defect.TOO_FEW_FIELDS)
        defects[many[~is_blank]] = number_of(Defect.TOO_MANY_FIELDS)
        defects[many[is_blank & ~has_room]] = number_of(Defect.EXTRA_BLANK_FIELD)

        def bounds_of(is_good: Flags) -> NDArray[np.int32]:
            chosen = separators
            if len(many) or not is_good.all():
                chosen = separators[
                    np.repeat(np.searchsorted(separators, starts[is_good]), width - 1)
                    + np.tile(np.arange(width - 1), int(is_good.sum()))
                ]
            return _field_bounds(chosen, starts[is_good], field_ends[is_good], width)

        return bounds_of

    def _find_structural(
        self, data: bytes, starts: Positions, ends: Positions, is_last: bool
    ) -> Flags:
        """Say which records are passed over: by their first field, whatever else they hold."""
        found = np.zeros(len(starts), np.bool_)
        is_alone = is_last and len(starts) == 1 and self.record_count == self.structural_count
        patterns = [self._structural, self._nothing if is_alone else None]
        for pattern in filter(None, patterns):
            for place, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
                first = self.fields(data[start : min(end, start + _FIRST_BYTES)], most=1)
                found[place] |= bool(first) and pattern.search(first[0]) is not None
        return found

    def fields(self, record: bytes, most: int | None = None) -> list[str]:
        """Read the fields of one record as delivered, as `leading_fields` does."""
        return leading_fields(record, self.encoding, self.header.delimiter, most)

    def read_record(self, stream: BinaryIO) -> bytes:
        """Read the well-formed record that starts here, without its line end."""
        return read_record(stream, self.header.delimiter)

    def original(
        self, stream: BinaryIO, record_number: int, byte_offset: int, byte_length: int | None
    ) -> bytes:
        """Cut a record as delivered, without its line end; a malformed one has a length."""
        stream.seek(byte_offset)
        return self.read_record(stream) if byte_length is None else stream.read(byte_length)

    def header_line(self, stream: BinaryIO, most_bytes: int) -> bytes:
        """Cut the header as delivered, without its line end."""
        stream.seek(self.header.byte_offset)
        length = self.header.byte_length - self.header.byte_offset
        return stream.read(min(length, most_bytes)).rstrip(b"\r\n")


BoundsOf = Callable[[Flags], NDArray[np.int32]]


def leading_fields(
    record: bytes, encoding: str, delimiter: bytes = b",", most: int | None = None
) -> list[str]:
    """Read the fields of one record up to its first violation; of undecodable text, up to it.

    Args:
        record: the bytes of the record.
        encoding: that of the file.
        delimiter: what stands between fields.
        most: how many fields are wanted; all by default.
    """
    fields, _, _ = _scan(record, delimiter, most=most)
    texts = []
    for octets in fields:
        try:
            texts.append(octets.decode(encoding))
        except UnicodeDecodeError:
            break
    return texts


def read_record(stream: BinaryIO, delimiter: bytes = b",") -> bytes:
    """Read the well-formed record that starts here, without its line end."""
    data = b""
    while chunk := stream.read(max(len(data), _FIRST_BYTES)):
        data += chunk
        _, end, is_whole = _scan(data, delimiter)
        if is_whole and end < len(data):
            return data[:end].rstrip(b"\r\n")
    data = data.removesuffix(END_MARK)
    _, end, _ = _scan(data, delimiter)
    return data[:end].rstrip(b"\r\n")


def _delimiter(data: bytes, declared: bytes | None = None) -> bytes:
    """Return what stands between the names of the first line, outside quotes.

    It is what is declared, where the line has it, else the first of DELIMITERS; a comma if none.
    """
    plain = LINE_END.split(_QUOTED.sub(b"", data[:MAX_RECORD_BYTES]), maxsplit=1)[0]
    if declared is not None and declared in plain:
        return declared
    return next((mark for mark in DELIMITERS.values() if mark in plain), b",")


def _scan(
    data: bytes, delimiter: bytes, position: int = 0, most: int | None = None
) -> tuple[list[bytes], int, bool]:
    """Read one record of `data`, field by field, or the first `most` of them.

    Returns the fields before the first violation, where reading stopped, and whether the record
    is whole.
    """
    fields: list[bytes] = []
    pattern = _FIELDS[delimiter]
    while found := pattern.match(data, position):
        quoted, plain, end = found.groups()
        fields.append(plain if quoted is None else quoted.replace(b'""', b'"'))
        position = found.end()
        if end != delimiter:
            return fields, position, True
        if len(fields) == most:
            break
    return fields, position, False


def _ends(data: bytes) -> bool:
    """Say whether a line ends in `data` for certain (a CR at its end may be half of a CRLF)."""
    return LINE_END.search(data, 0, len(data) - 1) is not None or data[-1:] == b"\n"


_NO_MALFORMED = MalformedRecords(_NONE, _NONE, _NONE, _NONE, np.empty(0, np.uint8))


def _empty_frame(
    width: int, malformed: MalformedRecords, structural: StructuralRecords = NO_STRUCTURAL
) -> Frame:
    bounds = np.empty((width + 1, 0), np.int32)
    return Frame(b"\0" * PADDING, _NONE, _NONE, _NONE, bounds, False, malformed, structural)


def _count_between(
    separators: Positions, starts: Positions, ends: Positions, width: int, is_good: Flags
) -> Positions:
    """Count the separators of each record; fast where all have what they should."""
    wanted = width - 1
    if is_good.all() and len(separators) == wanted * len(starts) and wanted:
        rows = separators.reshape(len(starts), wanted)
        if (rows[:, 0] >= starts).all() and (rows[:, -1] < ends).all():
            return np.full(len(starts), wanted)
    counts: Positions = np.searchsorted(separators, ends) - np.searchsorted(separators, starts)
    return counts


def _cut_extra(
    octets: NDArray[np.uint8],
    separators: Positions,
    starts: Positions,
    ends: Positions,
    width: int,
    many: Positions,
    delimiter: int,
) -> tuple[Positions, Flags]:
    """Cut what records have behind their last field.

    Args:
        octets: the bytes of the block.
        separators: the delimiters of the block that separate fields.
        starts: where records start.
        ends: where they end.
        width: how many fields they should have.
        many: which of them have more.
        delimiter: what stands between fields.

    Returns:
        Where the last field of each record ends, and whether the rest of each of `many` is blank.
    """
    if not len(many):
        return ends, np.empty(0, np.bool_)
    behind = separators[np.searchsorted(separators, starts[many]) + width - 1]
    field_ends = ends.copy()
    field_ends[many] = behind
    filled = np.cumsum(~(_IS_BLANK[octets] | (octets == delimiter)), dtype=np.int64)
    return field_ends, filled[ends[many] - 1] == filled[behind]


def undecodable(
    data: bytes, octets: NDArray[np.uint8], starts: Positions, ends: Positions, encoding: str
) -> Iterator[int]:
    """Yield the records whose bytes are no text in the encoding."""
    if data.isascii():
        return
    view = memoryview(data)
    try:
        str(view[: len(octets)], encoding)
    except UnicodeDecodeError:
        pass
    else:
        return
    high = np.flatnonzero(octets >= 128)
    suspects = np.unique(np.searchsorted(starts, high, side="right") - 1)
    for index in suspects[suspects >= 0].tolist():
        try:
            str(view[int(starts[index]) : int(ends[index])], encoding)
        except UnicodeDecodeError:
            yield index


def _field_bounds(
    separators: Positions, starts: Positions, ends: Positions, width: int
) -> NDArray[np.int32]:
    bounds = np.empty((width + 1, len(starts)), np.int32)
    bounds[0] = starts
    bounds[0] -= 1
    bounds[1:width] = separators.reshape(len(starts), width - 1).T
    bounds[width] = ends
    return bounds


def _transcode(
    padded: bytes, octets: NDArray[np.uint8], encoding: str, bounds: NDArray[np.int32], gap: int
) -> tuple[bytes, NDArray[np.int32]]:
    """Turn single-byte text into UTF-8 and move the bounds along."""
    if padded.isascii():
        return padded, bounds
    text = padded[: len(octets)].decode(encoding, errors="replace")
    lengths = np.array(
        [len(bytes([value]).decode(encoding, errors="replace").encode()) for value in range(256)],
        np.int32,
    )
    moved = np.zeros(len(octets) + 1, np.int32)
    np.cumsum(lengths[octets], out=moved[1:])
    moved_bounds = moved[bounds]
    moved_bounds[0] = moved[bounds[0] + gap] - gap
    return text.encode() + b"\0" * PADDING, moved_bounds

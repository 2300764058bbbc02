"""Records: which lines of a block make which record, and which quotes are wrong.

Records always start at line starts, because a record that is wrong is cut at its first line end.
So it is enough to know of every line what it is when it starts outside a quote and what it is when
it starts inside one; only records that span lines have to be walked. A block without a wrong quote
needs not even that: what is inside quotes is then the running parity of the quotes before it,
computed for 64 bytes at once.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

_LF, _CR, _QUOTE = 10, 13, 34

Octets = NDArray[np.uint8]
Positions = NDArray[np.int64]
Flags = NDArray[np.bool_]
Words = NDArray[np.uint64]
Defects = NDArray[np.uint8]
"""Of each line or record: 0 where it is well-formed, else what stands for its defect in DEFECTS."""


class Defect(StrEnum):
    """Why a record is malformed; the codes of `seeds/reference/error_codes.csv`."""

    TOO_FEW_FIELDS = "TOO_FEW_FIELDS"
    TOO_MANY_FIELDS = "TOO_MANY_FIELDS"
    EXTRA_BLANK_FIELD = "EXTRA_BLANK_FIELD"
    STRAY_QUOTE = "STRAY_QUOTE"
    TEXT_AFTER_QUOTE = "TEXT_AFTER_QUOTE"
    UNCLOSED_QUOTE = "UNCLOSED_QUOTE"
    BAD_BYTES = "BAD_BYTES"
    RECORD_TOO_LONG = "RECORD_TOO_LONG"
    UNSEEN_CHARACTER = "UNSEEN_CHARACTER"
    NOT_AN_OBJECT = "NOT_AN_OBJECT"
    NAME_REPEATED = "NAME_REPEATED"


DEFECTS = dict(enumerate(Defect, 1))
"""Defects by the number that stands for them in arrays."""
_NUMBERS = {defect: number for number, defect in DEFECTS.items()}


def number_of(defect: Defect) -> int:
    """Return the number that stands for a defect in arrays."""
    return _NUMBERS[defect]


@dataclass(slots=True)
class Lines:
    """Physical lines of a block: where each starts, its content ends and the next starts."""

    starts: Positions
    ends: Positions
    nexts: Positions


@dataclass(slots=True)
class Records:
    """The complete records of a block, by their first and last lines.

    Attributes:
        separators: delimiters outside quotes; those of records with a defect mean nothing.
        has_quotes: whether the block holds any quote.
        blank_count: blank lines, which are no records.
        line_count: how many lines of the block the records and blank lines take.
        defects: what is wrong with the quotes or the length of each.
    """

    first_line: Positions
    last_line: Positions
    separators: Positions
    has_quotes: bool
    blank_count: int
    line_count: int
    defects: Defects


def find_lines(octets: Octets, data: bytes, is_at_end: bool) -> Lines:
    """Find the physical lines; what follows the last line end is a line only at the file's end."""
    content = octets[: len(data)]
    if data.find(b"\r") < 0:
        ends = np.flatnonzero(content == _LF)
        nexts = ends + 1
    else:
        marks = np.flatnonzero((content == _LF) | (content == _CR))
        is_second = (content[marks] == _LF) & (marks > 0) & (content[marks - 1] == _CR)
        ends = marks[~is_second]
        if not is_at_end and len(ends) and ends[-1] == len(data) - 1 and data[-1] == _CR:
            ends = ends[:-1]
        nexts = ends + 1 + ((octets[ends] == _CR) & (octets[ends + 1] == _LF))
    if is_at_end and (len(nexts) == 0 or nexts[-1] < len(data)):
        ends = np.append(ends, len(data))
        nexts = np.append(nexts, len(data))
    starts = np.empty_like(nexts)
    starts[:1] = 0
    starts[1:] = nexts[:-1]
    return Lines(starts, ends, nexts)


def find_records(
    octets: Octets,
    data: bytes,
    lines: Lines,
    is_at_end: bool,
    max_record_bytes: int,
    delimiter: int,
) -> Records:
    """Join the lines of a block to records and find those with wrong quotes or too long."""
    last_line = np.arange(len(lines.starts))
    is_first = np.ones(len(lines.starts), np.bool_)
    defects = np.zeros(len(lines.starts), np.uint8)
    if data.find(b'"') < 0:
        separators = np.flatnonzero(octets[: len(data)] == delimiter)
        return _collect(lines, last_line, is_first, defects, separators, False, max_record_bytes)
    inside = _inside_quotes(octets, len(data), delimiter)
    if inside is not None:
        joined = _join_clean(lines, inside, is_at_end, settled(data), max_record_bytes)
        if joined is not None:
            last_line, is_first = joined
            separators = np.flatnonzero((octets[: len(data)] == delimiter) & ~inside)
            return _collect(lines, last_line, is_first, defects, separators, True, max_record_bytes)
    line_count = _join_lines(
        octets, data, lines, last_line, is_first, defects, is_at_end, max_record_bytes, delimiter
    )
    is_first = is_first[:line_count]
    starts = lines.starts[:line_count][is_first]
    separators = _find_separators(octets[: len(data)], starts, delimiter)
    return _collect(lines, last_line, is_first, defects, separators, True, max_record_bytes)


def line_records(lines: Lines, max_record_bytes: int) -> Records:
    """Take every line as a record, where quotes and delimiters mean nothing."""
    count = len(lines.starts)
    everywhere, nowhere = np.ones(count, np.bool_), np.empty(0, np.int64)
    defects = np.zeros(count, np.uint8)
    return _collect(lines, np.arange(count), everywhere, defects, nowhere, False, max_record_bytes)


def _collect(
    lines: Lines,
    last_line: Positions,
    is_first: Flags,
    line_defects: Defects,
    separators: Positions,
    has_quotes: bool,
    max_record_bytes: int,
) -> Records:
    """Put together what is known of the lines; `is_first` covers the complete records."""
    line_count = len(is_first)
    lengths = lines.ends[:line_count] - lines.starts[:line_count]
    too_long = np.flatnonzero(is_first & (lengths > max_record_bytes))
    line_defects[too_long] = number_of(Defect.RECORD_TOO_LONG)
    first_line = np.flatnonzero(is_first & (lengths > 0))
    blank_count = int(np.count_nonzero(is_first)) - len(first_line)
    return Records(
        first_line,
        last_line[first_line],
        separators,
        has_quotes,
        blank_count,
        line_count,
        line_defects[first_line],
    )


def settled(data: bytes) -> int:
    """Count the bytes whose part is certain: a CR at the end may be half of a line end."""
    return len(data) - data.endswith(b"\r")


def _inside_quotes(octets: Octets, length: int, delimiter: int) -> Flags | None:
    """Say of every byte whether it stands inside a quoted field; None when any quote is wrong.

    An opening quote stands at the start of a line or a delimiter or, as the second of a doubled
    pair, behind a quote; a closing one before a comma, a line end, a quote or the end of the data.
    """
    content = octets[:length]
    is_quote = content == _QUOTE
    is_border = is_quote | (content == delimiter) | (content == _LF) | (content == _CR)
    quotes, borders = _pack(is_quote), _pack(is_border)
    inside = _running_parity(quotes)
    before = borders << np.uint64(1)
    before[1:] |= borders[:-1] >> np.uint64(63)
    before[0] |= np.uint64(1)
    borders[length // 64] |= np.uint64(1 << (length % 64))
    after = borders >> np.uint64(1)
    after[:-1] |= borders[1:] << np.uint64(63)
    if ((quotes & inside & ~before) | (quotes & ~inside & ~after)).any():
        return None
    return np.unpackbits(inside.view(np.uint8), count=length, bitorder="little").view(np.bool_)


def _pack(flags: Flags) -> Words:
    """Pack flags into 64-bit words, the first in the lowest bit; one bit more than there are."""
    words = np.zeros(len(flags) // 64 + 1, np.uint64)
    packed = np.packbits(flags, bitorder="little")
    words.view(np.uint8)[: len(packed)] = packed
    return words


def _running_parity(words: Words) -> Words:
    """Set each bit to the parity of all bits up to and including it."""
    parity = words.copy()
    for shift in (1, 2, 4, 8, 16, 32):
        parity ^= parity << np.uint64(shift)
    odd = np.bitwise_xor.accumulate(parity >> np.uint64(63))
    parity[1:] ^= np.uint64(0) - odd[:-1]
    return parity


def _join_clean(
    lines: Lines, inside: Flags, is_at_end: bool, settled_bytes: int, max_record_bytes: int
) -> tuple[Positions, Flags] | None:
    """Join lines where every quote is right; None when a record does not close or is too long."""
    ends_inside = inside[np.minimum(lines.ends, len(inside) - 1)]
    last_lines = np.flatnonzero(~ends_inside)
    line_count = int(last_lines[-1]) + 1 if len(last_lines) else 0
    rest = int(lines.nexts[line_count - 1]) if line_count else 0
    if line_count < len(lines.starts) and (is_at_end or settled_bytes - rest > max_record_bytes):
        return None
    first_lines = np.concatenate([np.zeros(1, np.int64), last_lines[:-1] + 1])[: len(last_lines)]
    if (lines.ends[last_lines] - lines.starts[first_lines] > max_record_bytes).any():
        return None
    last_line = np.arange(line_count)
    last_line[first_lines] = last_lines
    is_first = np.zeros(line_count, np.bool_)
    is_first[first_lines] = True
    return last_line, is_first


def _join_lines(
    octets: Octets,
    data: bytes,
    lines: Lines,
    last_line: Positions,
    is_first: Flags,
    defects: Defects,
    is_at_end: bool,
    max_record_bytes: int,
    delimiter: int,
) -> int:
    """Walk the records that span lines; return how many lines belong to complete records.

    `last_line`, `is_first` and `defects` are filled in place, by line.
    """
    quotes = np.flatnonzero(octets[: len(data)] == _QUOTE)
    first_quote = np.searchsorted(quotes, lines.starts)
    behind_quotes = np.append(first_quote[1:], np.searchsorted(quotes, lines.nexts[-1:]))
    counts: Positions = behind_quotes - first_quote
    quotes = quotes[: int(counts.sum())]
    outside, inside = _violations(octets, quotes, lines, first_quote, counts, delimiter)
    is_open = (counts & 1).astype(np.bool_)
    is_open[outside > 0] = False
    line_count = len(lines.starts)
    open_lines = np.flatnonzero(is_open)
    if len(open_lines):
        quoted_lines = np.flatnonzero(counts > 0)
        line_count = _follow_open_lines(
            lines,
            last_line,
            is_first,
            defects,
            open_lines=open_lines,
            quoted_lines=quoted_lines.data,
            places=np.searchsorted(quoted_lines, open_lines),
            closes=(counts & 1).data,
            inside=inside.data,
            byte_limit=None if is_at_end else settled(data),
            max_record_bytes=max_record_bytes,
        )
    wrong = np.flatnonzero((outside[:line_count] > 0) & is_first[:line_count])
    defects[wrong] = outside[wrong]
    return line_count


def _follow_open_lines(
    lines: Lines,
    last_line: Positions,
    is_first: Flags,
    defects: Defects,
    *,
    open_lines: Positions,
    quoted_lines: memoryview,
    places: Positions,
    closes: memoryview,
    inside: memoryview,
    byte_limit: int | None,
    max_record_bytes: int,
) -> int:
    """Find where each record that ends its first line inside a quote closes, or that it does not.

    `places` says where each open line stands among the lines that hold quotes; `closes` is 1 for
    a line that leaves a quote it started in, `inside` what is wrong with one that starts in a
    quote. They are read as memory, which makes no object of every line. `byte_limit` is where the
    block ends when more is to come: a record that reaches it without closing waits for the next
    block.
    """
    starts, ends, found = lines.starts.data, lines.ends.data, defects.data
    unclosed = number_of(Defect.UNCLOSED_QUOTE)
    done = 0
    for line, place in zip(open_lines.data, places.data, strict=True):
        if line < done or ends[line] - starts[line] > max_record_bytes:
            continue
        farthest = starts[line] + max_record_bytes
        for place_after in range(place + 1, len(quoted_lines)):
            following = quoted_lines[place_after]
            if ends[following] > farthest:
                found[line] = unclosed
                break
            if inside[following]:
                found[line] = inside[following]
                break
            if closes[following]:
                last_line[line] = following
                is_first[line + 1 : following + 1] = False
                done = following + 1
                break
        else:
            if byte_limit is not None and byte_limit <= farthest:
                return line
            found[line] = unclosed
    return len(starts)


def _violations(
    octets: Octets,
    quotes: Positions,
    lines: Lines,
    first_quote: Positions,
    counts: Positions,
    delimiter: int,
) -> tuple[Defects, Defects]:
    """Find the first wrong quote of each line, were the line to start outside or inside a quote.

    Quotes open and close in turn. An opening one stands at the start of a line or behind a
    delimiter or, as the second of a doubled pair, behind a quote; a closing one stands before a
    delimiter, the end of the line, or a quote.
    """
    before = octets[quotes - 1]
    after = octets[quotes + 1]
    starts, ends = np.repeat(lines.starts, counts), np.repeat(lines.ends, counts)
    is_behind_quote = (before == _QUOTE) & (quotes > starts)
    may_open = (quotes == starts) | ((before == delimiter) & (quotes > starts)) | is_behind_quote
    may_close = (after == delimiter) | (after == _QUOTE) | (quotes + 1 == ends)
    outside, inside = np.zeros((2, len(counts)), np.uint8)
    if may_open.all() and may_close.all():
        return outside, inside
    is_odd = ((np.arange(len(quotes)) - np.repeat(first_quote, counts)) & 1).astype(np.bool_)
    line_of = np.repeat(np.arange(len(counts)), counts)
    stray, after_quote = number_of(Defect.STRAY_QUOTE), number_of(Defect.TEXT_AFTER_QUOTE)
    for found, opens in ((outside, ~is_odd), (inside, is_odd)):
        wrong = np.flatnonzero(np.where(opens, ~may_open, ~may_close))
        which, first = np.unique(line_of[wrong], return_index=True)
        found[which] = np.where(opens[wrong[first]], stray, after_quote)
    return outside, inside


def _find_separators(octets: Octets, starts: Positions, delimiter: int) -> Positions:
    """Find the delimiters outside quotes, counting quotes anew from the start of each record."""
    marks = np.flatnonzero((octets == delimiter) | (octets == _QUOTE))
    is_quote = octets[marks] == _QUOTE
    quotes_before = np.cumsum(is_quote, dtype=np.int32)
    first = np.searchsorted(marks, starts)
    at_start = np.where(first > 0, quotes_before[first - 1], 0)
    counts = np.diff(np.append(first, len(marks)))
    skipped = len(marks) - int(counts.sum())
    since_start = quotes_before[skipped:] - np.repeat(at_start, counts)
    marks, is_quote = marks[skipped:], is_quote[skipped:]
    separators: Positions = marks[~is_quote & ((since_start & 1) == 0)]
    return separators

"""Blanks: what around a text never counts, and characters that cannot be seen.

`ledger/sql.py` and dbt's macro `trimmed` say in SQL what `trimmed` says here.
"""

import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

_WHITE_SPACE = "\t\n\v\f\r\x85"
_BLANKS = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Co"})
_UNSEEN = frozenset({"Cc", "Cf"})


def trimmed(text: str) -> str:
    """Return a text without blanks and unseen characters around it."""
    start, end = 0, len(text)
    while start < end and unicodedata.category(text[start]) in _BLANKS:
        start += 1
    while end > start and unicodedata.category(text[end - 1]) in _BLANKS:
        end -= 1
    return text[start:end]


def visible(text: str) -> str:
    """Return what can be seen of a text."""
    return trimmed("".join(char for char in text if unicodedata.category(char) not in _UNSEEN))


def hides(text: str) -> bool:
    """Say whether a text holds an unseen character that is not white space or a mark around it."""
    inside = trimmed(text)
    around = text.replace(inside, "", 1) if inside else text
    return any(unicodedata.category(char) in _UNSEEN for char in inside) or any(
        unicodedata.category(char) == "Cc" and char not in _WHITE_SPACE for char in around
    )


def hiding_records(
    data: bytes,
    bounds: NDArray[np.int32],
    places: Sequence[int],
    *,
    spans_lines: bool,
    gap: int = 1,
) -> Iterator[int]:
    """Yield the records of a frame of which one of some fields holds what cannot be seen.

    Args:
        data: UTF-8 bytes, of which only what `bounds` encloses is looked at.
        bounds: where the fields stand, as in a frame.
        places: which fields to look at.
        spans_lines: whether any record takes several lines; a line end is then part of a field.
        gap: how many bytes of a bound are no part of the field behind it, as in a frame.
    """
    octets = np.frombuffer(data, np.uint8)[: int(bounds[-1, -1])] if bounds.size else None
    if octets is None:
        return
    is_suspect = (octets < ord(" ")) | (octets > ord("~"))
    if not spans_lines:
        line_end_count = data.count(b"\n", 0, len(octets)) + data.count(b"\r", 0, len(octets))
        if np.count_nonzero(is_suspect) == line_end_count:
            return
        is_suspect &= (octets != ord("\n")) & (octets != ord("\r"))
    suspects = np.append(np.flatnonzero(is_suspect), len(data))
    found: set[int] = set()
    for place in places:
        starts, ends = bounds[place] + gap, bounds[place + 1]
        for row in np.flatnonzero(suspects[np.searchsorted(suspects, starts)] < ends).tolist():
            text = data[int(starts[row]) : int(ends[row])].decode()
            if hides(text[1:-1].replace('""', '"') if text.startswith('"') else text):
                found.add(row)
    yield from sorted(found)

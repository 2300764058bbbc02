"""Guesses: how a file is cut into records, by its name and its first lines alone.

A person has the last word; where nothing speaks for anything else it is a plain CSV.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from rollcall.contracts.layouts import Framing
from rollcall.csvfile.framing import DELIMITERS, leading_fields
from rollcall.errors import UsageError

_LOOKED_AT_BYTES = 1 << 18
_MOST_PREAMBLE_LINES = 20
_MOST_PLACES = 3
"""How many values of a list become columns."""
_FEWEST_WIDE = 10
"""How many characters lines of fixed width have at least, in two columns or more."""
_LINE_END = re.compile(rb"\r\n|\r|\n")
_PLAIN_NAME = re.compile(r"[^.\[\]]+")


def guess_framing(path: Path) -> Framing:
    """Guess how a file is cut into records.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(_LOOKED_AT_BYTES)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}).") from error
    if data.startswith(b"PK\x03\x04"):
        return Framing(kind="xlsx")
    lines = _LINE_END.split(data.removeprefix(b"\xef\xbb\xbf"))
    if len(data) == _LOOKED_AT_BYTES:
        lines.pop()
    filled = [line for line in lines if line]
    if filled and all(line.lstrip().startswith(b"{") for line in filled):
        return Framing(kind="jsonl", names=_paths(filled))
    return _fixed(filled) or Framing(preamble_lines=_preamble(lines))


def _paths(lines: list[bytes]) -> tuple[str, ...]:
    """Return the paths of the values that the objects of some lines hold, in their order."""
    found: dict[str, None] = {}
    for line in lines:
        try:
            found |= dict.fromkeys(_paths_in(json.loads(line), ""))
        except (ValueError, RecursionError):
            continue
    return tuple(found)


def _paths_in(value: object, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inside in value.items():
            if _PLAIN_NAME.fullmatch(name):
                yield from _paths_in(inside, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for place, inside in enumerate(value[:_MOST_PLACES]):
            yield from _paths_in(inside, f"{path}[{place}]")
    elif path:
        yield path


def _fixed(lines: list[bytes]) -> Framing | None:
    """Guess the columns of lines of one length: each begins where all lines have a blank before."""
    if len(lines) <= 1 or len({len(line) for line in lines}) > 1:
        return None
    if any(mark in lines[0] for mark in DELIMITERS.values()) or len(lines[0]) < _FEWEST_WIDE:
        return None
    is_blank = [all(line[place] == ord(" ") for line in lines) for place in range(len(lines[0]))]
    starts = [0] + [
        place for place in range(1, len(is_blank)) if is_blank[place - 1] and not is_blank[place]
    ]
    if len(starts) == 1:
        return None
    widths = tuple(end - start for start, end in pairwise([*starts, len(is_blank)]))
    names = tuple(f"column_{start + 1}" for start in starts)
    return Framing(kind="fixed", names=names, widths=widths)


def _preamble(lines: list[bytes]) -> int:
    """Guess how many lines stand before the header: those with fewer fields than most lines."""
    counts = []
    for line in lines:
        mark = next((mark for mark in DELIMITERS.values() if mark in line), b",")
        counts.append(len(leading_fields(line, "latin-1", mark)))
    usual = Counter(counts).most_common(1)[0][0] if counts else 1
    first = next((place for place, count in enumerate(counts) if count >= usual > 1), 0)
    return first if first <= _MOST_PREAMBLE_LINES else 0

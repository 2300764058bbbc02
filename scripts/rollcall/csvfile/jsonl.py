"""JSONL: a record is a line that holds one object, of which the layout names the values it takes.

A value is kept as it is written: a text without its quotes, a number digit by digit, `true` and
`false` by these words, and what holds several values as the text of an object or a list. What is
not there, or null, is blank. A line that is no object, or an object that names something twice, is
malformed.
"""

import json
import re
from functools import cached_property
from typing import Any, NoReturn

import numpy as np

from rollcall.csvfile.blanks import hides
from rollcall.csvfile.framing import (
    MalformedRecords,
    StructuralRecords,
    TextFrame,
)
from rollcall.csvfile.lines import LineFramer
from rollcall.csvfile.records import Defect, find_lines, number_of

_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
Path = tuple[str | int, ...]


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


class _RepeatedNameError(ValueError):
    """An object names something twice, so nobody can say what it means."""


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _RepeatedNameError
    return found


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object_of,
    parse_float=_Number,
    parse_int=_Number,
    parse_constant=_no_number,
)


def steps(path: str) -> Path:
    """Split a path into names and places: `codes[0].id` into `codes`, 0 and `id`."""
    return tuple(
        int(place) if place else name
        for place, name in ((found[1], found[2]) for found in _STEP.finditer(path))
    )


def value_at(value: Any, path: Path) -> str | None:
    """Return the text of a value in an object; None where it is not there or null."""
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
        if value is None:
            return None
    return value if isinstance(value, str) else written(value)


def written(value: Any) -> str:
    """Write a value of an object again, its numbers as they were."""
    if isinstance(value, dict):
        pairs = (
            f"{json.dumps(name, ensure_ascii=False)}: {written(v)}" for name, v in value.items()
        )
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, _Number):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


class JsonFramer(LineFramer):
    """Reads a file of an object a line."""

    @cached_property
    def _paths(self) -> tuple[Path, ...]:
        return tuple(steps(name) for name in (self.form.names if self.form else ()))

    def misfit(self, line: bytes) -> str | None:
        """Say of a line that it is no object, or has none of the values of the layout."""
        found = self._parse(line)
        if isinstance(found, Defect):
            return "the first is no JSON object"
        if all(text is None for text in found):
            return "the first is an object that has nothing of what the layout names"
        return None

    def frame(self, data: bytes, is_at_end: bool) -> tuple[int, TextFrame | None]:
        """Read the whole lines of `data`; return how many bytes they take."""
        octets = np.frombuffer(data + b"\0", np.uint8)
        lines = find_lines(octets, data, is_at_end)
        if not len(lines.starts):
            return 0, None
        good: list[int] = []
        texts: list[list[str | None]] = []
        bad: list[int] = []
        defects: list[int] = []
        passed_over: list[int] = []
        places = np.flatnonzero(lines.ends > lines.starts)
        is_last = is_at_end and int(lines.nexts[-1]) == len(data)
        is_alone = is_last and len(places) == 1 and self.record_count == self.structural_count
        for place, start, end in zip(
            range(len(places)),
            lines.starts[places].tolist(),
            lines.ends[places].tolist(),
            strict=True,
        ):
            found = (
                self._parse(data[start:end])
                if end - start <= self.max_record_bytes
                else Defect.RECORD_TOO_LONG
            )
            if self._is_structural(data[start:end], found, is_alone=is_alone):
                passed_over.append(place)
            elif isinstance(found, Defect):
                bad.append(place)
                defects.append(number_of(found))
            else:
                good.append(place)
                texts.append(found)
        starts, lengths = lines.starts[places], (lines.ends - lines.starts)[places]
        numbers = self.record_count + 1 + np.arange(len(places), dtype=np.int64)
        line_numbers, offsets = self.line_count + 1 + places, self.byte_count + starts

        def chosen(which: list[int]) -> StructuralRecords:
            at = np.array(which, np.int64)
            return StructuralRecords(numbers[at], line_numbers[at], offsets[at], lengths[at])

        taken, malformed = chosen(good), chosen(bad)
        frame = TextFrame(
            taken.record_number,
            taken.line_number,
            taken.byte_offset,
            [list(column) for column in zip(*texts, strict=True)],
            MalformedRecords(
                malformed.record_number,
                malformed.line_number,
                malformed.byte_offset,
                malformed.byte_length,
                np.array(defects, np.uint8),
            ),
            chosen(passed_over),
        )
        self.record_count += len(places)
        self.malformed_count += len(bad)
        self.structural_count += len(passed_over)
        self.blank_line_count += len(lines.starts) - len(places)
        self.line_count += len(lines.starts)
        return int(lines.nexts[-1]), frame

    def _is_structural(
        self, line: bytes, found: Defect | list[str | None], *, is_alone: bool
    ) -> bool:
        if self.form is None or not (self.form.structural or self.form.nothing):
            return False
        first = line.decode(self.encoding, "replace") if isinstance(found, Defect) else found[0]
        patterns = (self.form.structural, self.form.nothing if is_alone else None)
        return any(pattern is not None and pattern.search(first or "") for pattern in patterns)

    def _parse(self, line: bytes) -> Defect | list[str | None]:
        """Read the values of a line, or say what is wrong with it."""
        try:
            text = line.decode(self.encoding)
        except UnicodeDecodeError:
            return Defect.BAD_BYTES
        try:
            found = _DECODER.decode(text)
            values = [value_at(found, path) for path in self._paths]
        except _RepeatedNameError:
            return Defect.NAME_REPEATED
        except (ValueError, RecursionError):
            return Defect.NOT_AN_OBJECT
        if not isinstance(found, dict):
            return Defect.NOT_AN_OBJECT
        for place, value in enumerate(values):
            if value is None or (value.isascii() and value.isprintable()):
                continue
            if not value.isascii() and any("\ud800" <= sign <= "\udfff" for sign in value):
                return Defect.BAD_BYTES
            if place in self.seen_places and hides(value):
                return Defect.UNSEEN_CHARACTER
        return values

    def fields(self, record: bytes, most: int | None = None) -> list[str]:
        """Read the values of a line; none where it is malformed."""
        found = self._parse(record)
        if isinstance(found, Defect):
            return []
        return [value or "" for value in found[:most]]

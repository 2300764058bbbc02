"""Fixed width: a record is a line, and its fields stand side by side without anything between.

The layout says how many characters each takes. A line of another length is malformed: which of its
fields lacks something, nobody can tell. The last column may take whatever is left of the line.
Fields are kept with the blanks that fill them; quotes mean nothing.
"""

import itertools

import numpy as np
from numpy.typing import NDArray

from rollcall.csvfile.framing import PADDING, BoundsOf, undecodable
from rollcall.csvfile.lines import LineFramer
from rollcall.csvfile.records import (
    Defect,
    Defects,
    Flags,
    Positions,
    Records,
    number_of,
)

_ASCII_BYTES = 128


class FixedFramer(LineFramer):
    """Reads a file of fixed width."""

    gap = 0

    @property
    def _widths(self) -> tuple[int, ...]:
        return self.form.widths if self.form else ()

    def misfit(self, line: bytes) -> str | None:
        """Say how long a line is that has another length than the columns of the layout."""
        length, wanted = len(line.decode(self.encoding, "replace")), sum(self._widths)
        if length < wanted or (length > wanted and self._widths[-1]):
            return f"the first has {length} characters, and the columns take {wanted}"
        return None

    def measure(
        self,
        octets: NDArray[np.uint8],
        records: Records,
        starts: Positions,
        ends: Positions,
        defects: Defects,
    ) -> BoundsOf:
        """Mark lines of another length; return what gives the others' bounds."""
        widths = self._widths
        places = np.array([0, *itertools.accumulate(widths)])
        used = len(octets) - PADDING
        bad = np.fromiter(
            undecodable(octets.tobytes(), octets[:used], starts, ends, self.encoding), np.int64
        )
        defects[bad[defects[bad] == 0]] = number_of(Defect.BAD_BYTES)
        characters: Positions | None = None
        firsts, lasts = starts, ends
        if self.encoding == "utf-8" and (octets[:used] >= _ASCII_BYTES).any():
            is_first = (octets[:used] & 0xC0) != _ASCII_BYTES
            characters = np.append(np.flatnonzero(is_first), used)
            firsts, lasts = (np.searchsorted(characters, at) for at in (starts, ends))
        lengths, is_good = lasts - firsts, defects == 0
        defects[is_good & (lengths < places[-1])] = number_of(Defect.TOO_FEW_FIELDS)
        if widths[-1]:
            defects[is_good & (lengths > places[-1])] = number_of(Defect.TOO_MANY_FIELDS)

        def bounds_of(is_good: Flags) -> NDArray[np.int32]:
            at = firsts[is_good] + places[:, np.newaxis]
            where: Positions = at if characters is None else characters[at]
            where[-1] = ends[is_good]
            return where.astype(np.int32)

        return bounds_of

    def fields(self, record: bytes, most: int | None = None) -> list[str]:
        """Cut a line into fields, as far as it goes; of undecodable text, up to it."""
        widths = self._widths[:most]
        try:
            text = record.decode(self.encoding)
        except UnicodeDecodeError as error:
            text = record[: error.start].decode(self.encoding)
        found, place = [], 0
        for width in widths:
            end = place + width if width else len(text)
            if end > len(text):
                break
            found.append(text[place:end])
            place = end
        return found

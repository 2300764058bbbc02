"""Files of a record a line, without a header: their columns are those of their layout."""

from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from rollcall.csvfile.framing import (
    BOM,
    LINE_END,
    Framer,
    Header,
    HeaderError,
)
from rollcall.csvfile.records import Lines, Records, line_records

_FIRST_BYTES = 4096
_LOOKED_AT_BYTES = 1 << 16
"""How much of a file is looked at to see whether it is of a layout."""


class LineFramer(Framer):
    """Reads a file in which every line is a record."""

    def read_header(self) -> tuple[Header, bytes, bool]:
        """Pass over the preamble, and look at the first lines behind it.

        Raises:
            HeaderError: the file is empty, or none of them is of the layout.
        """
        data, chunk = b"", b"-"
        while chunk:
            chunk = self.stream.read(self.block_bytes)
            data += chunk
            body = data.removeprefix(BOM)
            start = self.skip_preamble(body, 0)
            if len(body) - start > _LOOKED_AT_BYTES:
                break
        if not body:
            raise HeaderError("EMPTY_FILE", "The file holds no byte.")
        self._check_lines(body[start:][:_LOOKED_AT_BYTES])
        bom_length = len(data) - len(body)
        self.note_preamble(body[:start], bom_length)
        line_count = len(LINE_END.findall(body[:start]))
        length = bom_length + start
        names = self.form.names if self.form else ()
        header = Header(names, 0, length, line_count, bom_length > 0, b"", length, line_count + 1)
        return header, body[start:], not chunk

    def _check_lines(self, data: bytes) -> None:
        """Raise where not one of the first lines, but for those passed over, is of the layout."""
        lines = [line for line in LINE_END.split(data) if line]
        if len(data) == _LOOKED_AT_BYTES and len(lines) > 1:
            lines.pop()
        said = [self.misfit(line) for line in lines if not self._is_passed_over(line)]
        if said and all(said):
            raise HeaderError("LAYOUT_UNKNOWN", f"none of the first lines is of it; {said[0]}.")

    def misfit(self, line: bytes) -> str | None:
        """Say why a line is none of the layout; None of one that is."""
        raise NotImplementedError

    def _is_passed_over(self, line: bytes) -> bool:
        """Say whether a line may be anything, because the layout passes over it."""
        patterns = (self.form.structural, self.form.nothing) if self.form else ()
        first = self.fields(line, 1)
        return any(pattern and first and pattern.search(first[0]) for pattern in patterns)

    def find_records(
        self, octets: NDArray[np.uint8], data: bytes, lines: Lines, is_at_end: bool
    ) -> Records:
        """Take every line as a record."""
        return line_records(lines, self.max_record_bytes)

    def read_record(self, stream: BinaryIO) -> bytes:
        """Read the line that starts here, without its end."""
        data = b""
        while chunk := stream.read(max(len(data), _FIRST_BYTES)):
            data += chunk
            found = LINE_END.search(data)
            if found:
                return data[: found.start()]
        return data

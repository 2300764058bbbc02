"""Forms: what has to be known of a file before it can be cut into records."""

import re
from typing import Protocol


class Form(Protocol):
    """How a file is cut into records; `contracts` declares it for each layout.

    A file is a CSV that begins with its header unless something else is said.
    """

    @property
    def kind(self) -> str:
        """One of csv, fixed, grid, jsonl, xlsx."""

    @property
    def delimiter(self) -> str:
        """What stands between fields, one of DELIMITERS; blank where the header shows it."""

    @property
    def preamble_lines(self) -> int:
        """How many lines, or rows, stand before the header, or before the first record."""

    @property
    def structural(self) -> re.Pattern[str] | None:
        """What the first field of a record is that is passed over."""

    @property
    def nothing(self) -> re.Pattern[str] | None:
        """What the first field of the only record is where it says that there is none."""

    @property
    def cells(self) -> re.Pattern[str] | None:
        """What the columns of a grid are called whose cells are records each."""

    @property
    def sheet(self) -> str:
        """The sheet of a workbook; blank where it has but one."""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of a file without a header."""

    @property
    def widths(self) -> tuple[int, ...]:
        """How many characters they take; 0 for one that takes the rest of the line."""

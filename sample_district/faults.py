r"""Planted faults: what goes wrong in the sample exports, row by row of `faults.csv`.

A row changes what a source sends on a night, after the rows above it. A fault may take several
rows; the one that names it is entered in the catalogue (`sample_exports/faults.csv`) with the code
that it must raise, the verdict, and the test that proves it. Records that are rejected come again,
as they were, with a later delivery; the roster is sent whole every night and heals by itself.

`file` is one of the delivery; blank is the delivery as a whole. `operation` is one of
`operations.py`. `records` says which records it works on:

- `from 40%`: the first from that share of the file on that has no quotes and was not chosen before
- `first`, `last`, `last but 1`: counted among those that fit
- `all`; `untouched`: all that were not chosen singly before; `last of each COLUMN`
- `same`: what the row above leaves; blank: the header and all records

`where` narrows them by conditions joined by `and`: `COLUMN = VALUE`, `<`, `>`, `~` (a regular
expression), `in NAME.COLUMN`, `not in NAME.COLUMN`. `keep_as` keeps the records under a name, as
they were before the row; `NAME: all` chooses among what is kept. In `where`, `value` and
`record_key`, `{NAME.COLUMN}` is a value of the last record of a name, `{NAME.COLUMN/1}` the part
after its first hyphen; `\n`, `\r` and `\xNN` are bytes. `record_key` is for the catalogue, where
records are not chosen singly.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from sample_district.deliveries import Delivery
from sample_district.operations import EDITS, RESENDINGS
from sample_district.sheets import Memory, Record, Sheet

MIN_FAULT_NIGHTS = 6  # the first story ends there, nights 8 and 9 are another
MIN_FAULT_STUDENTS = 40
TABLE = Path(__file__).with_name("faults.csv")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table; `line` is where it stands there."""

    line: int
    night: int
    source: str
    file: str
    operation: str
    records: str
    where: str
    column: str
    value: str
    keep_as: str
    fault: str
    code: str
    verdict: str
    record_key: str
    note: str
    proof: str

    def __str__(self) -> str:
        """Say which row it is."""
        place = f"night {self.night}, {self.source}, {self.file or 'the delivery'}"
        return f"Line {self.line} of faults.csv ({place}, {self.operation})"


def read_rows(table: Path = TABLE) -> list[Row]:
    """Read the table.

    Raises:
        ValueError: a row names an operation that does not exist.
    """
    with table.open(encoding="utf-8", newline="") as stream:
        rows = [
            Row(line=line, night=int(fields.pop("night")), **fields)
            for line, fields in enumerate(csv.DictReader(stream), start=2)
        ]
    for row in rows:
        if row.operation not in EDITS and row.operation not in RESENDINGS:
            raise ValueError(f"{row}: there is no such operation.")
    return rows


class Planter:
    """Plants the faults of every night and keeps the catalogue."""

    def __init__(self, rows: list[Row] | None = None) -> None:
        self._rows = read_rows() if rows is None else rows
        self._memory = Memory()
        self._unused = {row.line: row for row in self._rows}
        self._catalogue: list[dict[str, str]] = []

    def plant(self, delivery: Delivery, night: int) -> list[Delivery]:
        """Return what is sent instead of a night's delivery.

        Raises:
            ValueError: a row cannot be carried out, or fits no record; the message names it.
        """
        rows = [
            row
            for row in self._rows
            if (row.night, row.source) == (night, delivery.source_id)
            and (not row.file or row.file in delivery.files)
        ]
        sent = [delivery]
        for (file, is_edit), group in groupby(rows, key=lambda r: (r.file, r.operation in EDITS)):
            if is_edit:
                self._edit(next(d for d in reversed(sent) if file in d.files), file, group)
                continue
            for row in group:
                with self._naming(row):
                    sent[-1:] = RESENDINGS[row.operation](sent[-1], file, row.value)
                self._enter(row, sent[-1], sent[-1].name, "", 0)
        return sent

    def _edit(self, delivery: Delivery, file: str, rows: Iterable[Row]) -> None:
        """Take a file apart, change it row by row, and put it back."""
        sheet = Sheet.read(b"".join(delivery.files[file]))
        same: list[Record] = []
        marks: list[tuple[Row, str, Record | None]] = []
        for row in rows:
            with self._naming(row):
                same, is_single = self._carry_out(row, sheet, same)
                if is_single:
                    marks += [(row, sheet.name_of(record).decode(), record) for record in same]
                else:
                    marks.append((row, self._memory.fill(row.record_key).decode(), None))
        delivery.files[file] = [b"".join(line.data for line in sheet.lines)]
        starts = {}
        number = 1
        for line in sheet.lines:
            starts[id(line)] = number
            number += line.data.count(b"\n")
        place = delivery.name if delivery.container == "csv" else file
        for row, key, record in marks:
            self._enter(row, delivery, place, key, starts.get(id(record), 0))

    def _carry_out(self, row: Row, sheet: Sheet, same: list[Record]) -> tuple[list[Record], bool]:
        """Return the records that the row leaves, and whether they were chosen singly."""
        source, chosen, is_single = sheet, sheet.lines, False
        if row.records:
            source, chosen, is_single = self._memory.choose(sheet, same, row.records, row.where)
        before = [record.data for record in chosen]
        left = EDITS[row.operation](sheet, chosen, row.column, self._memory.fill(row.value))
        if row.keep_as:
            self._memory.keep(row.keep_as, source.columns, before)
        return left, is_single

    @contextmanager
    def _naming(self, row: Row) -> Iterator[None]:
        """Name the row in every error, and note that it was used."""
        try:
            yield
        except (ValueError, LookupError, re.error) as error:
            raise ValueError(
                f"{row}: {error}; correct the row, or take more students or another seed."
            ) from error
        self._unused.pop(row.line, None)

    def _enter(
        self, row: Row, delivery: Delivery, file_name: str, record_key: str, line_number: int
    ) -> None:
        """Enter what a row did into the catalogue, if it is a fault; line 0 is the whole file."""
        if not row.fault:
            return
        night = delivery.arrivals[-1]
        self._catalogue.append(
            {
                "fault": row.fault,
                "night": str(night),
                "source_id": row.source,
                "delivery_name": delivery.name,
                "file_name": file_name,
                "record_key": record_key,
                "line_number": str(line_number or ""),
                "code": row.code,
                "verdict": row.verdict,
                "note": row.note,
                "proof": row.proof,
            }
        )

    def unused(self, nights: int) -> list[Row]:
        """Return the rows of these nights whose file was in no delivery."""
        return [row for row in self._unused.values() if row.night <= nights]

    def catalogue(self) -> list[dict[str, str]]:
        """Return every planted fault, in the order of nights, deliveries and lines."""
        columns = ("source_id", "delivery_name", "file_name")

        def place(entry: dict[str, str]) -> tuple[int | str, ...]:
            night, line = int(entry["night"]), int(entry["line_number"] or 0)
            return (night, *(entry[column] for column in columns), line, entry["fault"])

        ordered = sorted(self._catalogue, key=place)
        return [
            {"fault_id": f"F{number:02d}"} | entry for number, entry in enumerate(ordered, start=1)
        ]

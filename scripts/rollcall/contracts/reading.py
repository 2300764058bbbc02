"""Reading of the contract seeds: rows with their line numbers, and what makes one wrong."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from rollcall.errors import UsageError


class ContractError(UsageError):
    """A contract seed says something that cannot be; names file and line."""


class _Row(dict[str, str]):
    """A row of a seed, which knows its place: a column that is asked for must be there."""

    def __init__(self, place: str, fields: Mapping[str, str]) -> None:
        super().__init__(fields)
        self.place = place

    def __missing__(self, column: str) -> str:
        raise ContractError(
            f"{self.place}: the header has no column {column}; commas stand between its columns."
        )


def rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row of a seed with the number of its line; a byte order mark is passed over.

    Raises:
        ContractError: the seed is missing, is not UTF-8, or a line has other columns than the
            header.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ContractError(f"{path.name} is missing from seeds/contracts; restore it.") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ContractError(
            f"{path.name}, line {line}: the file is not written in UTF-8; save it as CSV UTF-8."
        ) from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    for row in reader:
        place = f"{path.name}, line {reader.line_num}"
        if None in row or None in row.values():
            raise ContractError(
                f"{place}: the header has {len(reader.fieldnames or ())} columns and the line has "
                "not; quote what holds commas."
            )
        yield reader.line_num, _Row(place, row)


def pattern(where: str, row: Mapping[str, str], column: str) -> re.Pattern[str]:
    """Return the regular expression in a column of a seed.

    Raises:
        ContractError: it is none; `where` names file and line.
    """
    try:
        return re.compile(row[column])
    except re.error as error:
        raise ContractError(
            f"{where}: {column} '{row[column]}' is no regular expression: {error}."
        ) from None


def columns_of(path: Path) -> tuple[str, ...]:
    """Return the columns of a seed."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return tuple(next(csv.reader(stream), ()))


def rows_of(paths: Iterable[Path]) -> Iterator[tuple[Path, int, dict[str, str]]]:
    """Yield each row of several seeds with its file and line."""
    for path in paths:
        for line, row in rows(path):
            yield path, line, row


def number(path: Path, line: int, row: Mapping[str, str], column: str, most: float = 1e15) -> float:
    """Read a number from 0 to `most`.

    Raises:
        ContractError: the field holds something else.
    """
    try:
        value = float(row[column])
    except ValueError:
        value = -1.0
    if not 0 <= value <= most:
        raise ContractError(
            f"{path.name}, line {line}: {column} '{row[column]}' is not a number of 0 or more, "
            f"up to {most:,.0f}."
        )
    return value


def listed(text: str) -> tuple[str, ...]:
    """Split a field of several values, `a|b`."""
    return tuple(text.split("|")) if text else ()

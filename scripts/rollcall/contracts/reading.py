"""Reading of the contract seeds: rows with their line numbers, and what makes one wrong."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from rollcall.errors import UsageError


class ContractError(UsageError):
    """A contract seed says something that cannot be; names file and line."""


def rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row of a seed with the number of its line.

    Raises:
        ContractError: the seed is missing.
    """
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream)
            for row in reader:
                yield reader.line_num, row
    except FileNotFoundError:
        raise ContractError(f"{path.name} is missing from seeds/contracts; restore it.") from None


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

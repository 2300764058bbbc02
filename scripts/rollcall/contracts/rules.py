"""The seeds of rules, read as strictly as an export before dbt loads them.

What the columns hold, the YAML beside the shipped seeds says.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from rollcall.contracts.reading import ContractError, rows

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?"
    r"(Z| ?[+-]((0\d|1[0-3])(:?[0-5]\d)?|14(:?00)?))?)?",
    re.ASCII,
)
"""The grammar of the macros `day_of` and `time_of`."""
_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def check_rules(folders: Sequence[Path], described_in: Path) -> None:
    """Check that every value of the seeds of rules can be read.

    Args:
        folders: where seeds may be; the first that has one counts.
        described_in: the folder with the YAML of every seed.

    Raises:
        ContractError: a value cannot be read, or a column is missing; names file, line and column.
    """
    for described in sorted(described_in.glob("*.yml")):
        [seed] = yaml.load(described.read_text(encoding="utf-8"), Loader=_YAML)["seeds"]  # noqa: S506
        types = seed["config"]["column_types"]
        path = next(
            (found for folder in folders if (found := folder / f"{seed['name']}.csv").exists()),
            folders[-1] / f"{seed['name']}.csv",
        )
        for line, row in rows(path):
            for problem in _problems(row, types):
                raise ContractError(f"{path.name}, line {line}: {problem}")


def _problems(row: Mapping[Any, Any], types: Mapping[str, str]) -> Iterator[str]:
    if missing := [column for column in types if column not in row]:
        yield f"the file has no column {missing[0]}; it needs {', '.join(types)}."
    for column, data_type in types.items():
        text = row[column].strip()
        if text and (expected := _unread_as(column, data_type, text)):
            yield f"{column} '{text}' is not {expected}."


def _unread_as(column: str, data_type: str, text: str) -> str | None:
    """Return what a text should be; None when it can be read."""
    if column in ("effective_from", "effective_to"):
        is_good = _is_instant(text)
        return None if is_good else "a time; write it like 2026-09-01 or 2026-09-01T00:00:00-05:00"
    if data_type == "integer":
        is_good = re.fullmatch(r"[+-]?\d{1,9}", text, re.ASCII) is not None
        return None if is_good else "a whole number"
    if data_type == "boolean":
        return None if text.lower() in ("true", "false") else "true or false"
    if data_type.startswith(("decimal", "double")):
        if not _NUMBER.fullmatch(text):
            return "a number; write it with a point, such as 72.5"
        if size := re.fullmatch(r"decimal\((\d+), (\d+)\)", data_type):
            most = 10 ** (int(size[1]) - int(size[2]))
            return None if abs(Decimal(text)) < most else f"a number below {most}"
    return None


def _is_instant(text: str) -> bool:
    if not _INSTANT.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(re.sub(r" (?=[+-])", "", text))
    except ValueError:
        return False
    return True

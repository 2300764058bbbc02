"""A file looked at without knowing its kind: how it is framed, and what its columns hold.

Of values no more is kept than how they are written and how many there are.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from pathlib import Path

import duckdb

from rollcall.contracts.layouts import Framing
from rollcall.csvfile.columns import record_batches
from rollcall.csvfile.framing import DELIMITERS, HeaderError
from rollcall.csvfile.opening import open_records
from rollcall.errors import UsageError
from rollcall.ledger.sql import literal, trimmed
from rollcall.scaffold.guess import guess_framing

TYPES = {
    "integer": r"[+-]?(0|[1-9][0-9]{0,8})",
    "float": r"[+-]?(0|[1-9][0-9]{0,11})([.][0-9]{1,6})?",
    "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "datetime": r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}.*",
    "bool": r"(?i:true|false)",
}
"""How the texts of a type are written; a digit after a zero is of an id, not of a number."""
WITH_SLASHES = "dates with slashes"
_FORMATS = TYPES | {
    WITH_SLASHES: r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4}.*",
    "digits after a zero": r"0[0-9]+",
    "addresses of e-mail": r"[^@ ]+@[^@ ]+[.][^@ ]+",
}
_IS_ID = re.compile(r"(?i:(^|[^a-z])(id|guid|key|code|number|no|nbr))$|[a-z]I[Dd]$")
_DIRECT = re.compile(
    r"(?i)(first|last|middle|given|family|full|legal|preferred|student|teacher)[ _]?name"
    r"|^(name|first|last|middle|dob)$|birth|mail|phone|address|street|guardian|parent|ssn"
)
_SENSITIVE = re.compile(
    r"(?i)race|ethnic|gender|^sex$|lunch|\bfrl\b|disab|\biep\b|\b504\b|\bell\b|learner|homeless"
    r"|migrant|economic|accommodation"
)
_MOST_KEY_COLUMNS = 3
_MOST_CANDIDATES = 12


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What one column holds.

    `data_type` is as in `layouts.csv`. `shares` says of how many of the filled values, in percent,
    a way of writing is true; `distinct_count` how many different values there are.
    """

    name: str
    data_type: str
    filled_count: int
    distinct_count: int
    shares: dict[str, float]
    personal_data: str


@dataclass(frozen=True, slots=True)
class FileProfile:
    """What a file looks like.

    `key` names the columns that tell its records apart, `framing` says how it is cut into them.
    """

    file_name: str
    encoding: str
    delimiter: str
    record_count: int
    malformed_count: int
    columns: tuple[ColumnProfile, ...]
    key: tuple[str, ...]
    framing: Framing


def profile_file(path: Path, key: Sequence[str] = ()) -> FileProfile:
    """Look at every record of a file.

    Args:
        path: the file.
        key: the columns that tell records apart, where somebody knows them.

    Raises:
        UsageError: the file cannot be read as records under a header, or no few columns tell its
            records apart.
    """
    framing = guess_framing(path)
    encoding = "utf-8" if framing.kind == "xlsx" else _encoding(path)
    with duckdb.connect() as connection:
        try:
            with path.open("rb") as stream:
                framer = open_records(stream, encoding, framing)
                connection.register("incoming", record_batches(framer, []))
                fields = trimmed("columns(* exclude (record_number, line_number, byte_offset))")
                connection.execute(f"create temp table records as select {fields} from incoming")
        except HeaderError as error:
            raise UsageError(f"The header of {path.name} cannot be read: {error}") from error
        names = framer.header.names
        count = framer.record_count - framer.malformed_count - framer.structural_count
        _check(path.name, names, count, key)
        columns = tuple(
            _profile(connection, place, name, count) for place, name in enumerate(names)
        )
        found = tuple(key) or next(_keys(connection, columns, count), ())
    if not found:
        raise UsageError(
            f"No {_MOST_KEY_COLUMNS} columns of {path.name} tell its records apart; name those "
            "that should with --key, once for each."
        )
    marks = {mark: name for name, mark in DELIMITERS.items()}
    is_csv = framing.kind == "csv"
    delimiter = marks[framer.header.delimiter] if is_csv else next(iter(DELIMITERS))
    return FileProfile(
        *(path.name, encoding, delimiter, count),
        *(framer.malformed_count, columns, found, framing),
    )


def _check(file_name: str, names: Sequence[str], count: int, key: Sequence[str]) -> None:
    """Raise where there is nothing to draft from."""
    if len({name.lower() for name in names}) < len(names) or not all(names):
        raise UsageError(f"Each column of {file_name} needs a name of its own in the header.")
    if not count:
        raise UsageError(f"{file_name} holds no record; take a file of an ordinary night.")
    if unknown := [name for name in key if name not in names]:
        raise UsageError(f"{file_name} has no column '{unknown[0]}'.")


def _encoding(path: Path) -> str:
    """Say whether a file is UTF-8; text of another encoding is so by chance next to never."""
    try:
        with path.open(encoding="utf-8") as stream:
            while stream.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return "cp1252"
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}).") from error
    return "utf-8"


def _profile(
    connection: duckdb.DuckDBPyConnection, place: int, name: str, count: int
) -> ColumnProfile:
    field = f'"c{place}"'
    written = ", ".join(
        f"count(*) filter (regexp_full_match({field}, {literal(form)}))"
        for form in _FORMATS.values()
    )
    [(filled, distinct, *counts)] = connection.execute(
        f"select count({field}), count(distinct {field}), {written} from records"
    ).fetchall()
    shares = {
        what: round(100 * number / filled, 1)
        for what, number in zip(_FORMATS, counts, strict=True)
        if number
    }
    fitting = (kind for kind in TYPES if shares.get(kind) == 100.0)
    is_id = bool(_IS_ID.search(name)) or "digits after a zero" in shares
    return ColumnProfile(
        name,
        "id" if is_id else next(fitting, "string"),
        filled,
        distinct,
        shares,
        _class_of(name, shares),
    )


def _class_of(name: str, shares: dict[str, float]) -> str:
    """Class a column by its name and by how it is written; a person has the last word."""
    if _SENSITIVE.search(name):
        return "sensitive"
    if _DIRECT.search(name) or shares.get("addresses of e-mail", 0.0) > 50:
        return "direct"
    return "indirect"


def _keys(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[ColumnProfile], count: int
) -> Iterator[tuple[str, ...]]:
    """Yield the sets of columns that tell all records apart: small ones and ids first.

    Only columns that every record fills come into question, and no measured numbers.
    """
    places = [
        place
        for place, column in enumerate(columns)
        if column.filled_count == count and column.distinct_count > 1
        if column.data_type != "float" and column.personal_data == "indirect"
    ]
    places.sort(key=lambda place: (columns[place].data_type != "id", place))
    candidates = places[:_MOST_CANDIDATES]
    sets = (combinations(candidates, size) for size in range(1, _MOST_KEY_COLUMNS + 1))
    for chosen in chain.from_iterable(sets):
        fields = ", ".join(f'"c{place}"' for place in chosen)
        found = connection.execute(f"select count(distinct ({fields})) from records").fetchone()
        if found == (count,):
            yield tuple(columns[place].name for place in sorted(chosen))

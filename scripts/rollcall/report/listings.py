"""A listing: rows with typed columns and plain words, read once for page, sheet and CSV."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import duckdb

from rollcall.ledger.sql import identifier, literal
from rollcall.sanitize import plain, plain_sql

Kind = Literal["text", "number", "time", "code", "cycle"]
_QUERIES = Path(__file__).with_name("queries")
_NUMBERS = ("BIGINT", "INTEGER", "DOUBLE", "HUGEINT", "DECIMAL")
_LABELS = {
    "column_name": "column",
    "source_id": "source",
    "roster_source_id": "roster",
    "student_id": "student",
    "objective_id": "objective",
    "exported_at": "exported (UTC)",
    "landed_at": "landed (UTC)",
}
_COMMANDS = {
    "trace": ("rollcall trace", {"--student": "student_id", "--objective": "objective_id"}),
    "rejects": ("rollcall rejects", {"": "file_id"}),
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column as SQL names it, as people read it, and how it is shown."""

    name: str
    label: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Listing:
    """What to list and how to say it.

    Args:
        name: names the query, the sheet, the CSV and the place on the page.
        title: heading.
        meaning: one or two sentences in plain words.
        nothing: what it means when there are no rows.
        labels: column -> what people read; others read their own name with blanks.
        command: a command to offer for each row.
        hidden: columns that only the command needs, on the page.
        personal: columns that are left out unless students are named.
    """

    name: str
    title: str
    meaning: str
    nothing: str
    labels: dict[str, str] = field(default_factory=dict)
    command: Literal["trace", "rejects"] | None = None
    hidden: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()

    @property
    def sql(self) -> str:
        """The rows, in a total order; the warehouse is `good`, the ledger `landing`."""
        return (_QUERIES / f"{self.name}.sql").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a listing: the first ones, and how many there are; none when it is unknown."""

    listing: Listing
    columns: tuple[Column, ...]
    rows: list[tuple[Any, ...]]
    total: int
    is_known: bool = True

    def shown(self, without: str = "") -> list[Column]:
        """Return the columns that stand on the page; without one that is the same in every row."""
        return [c for c in self.columns if c.name not in (*self.listing.hidden, without)]

    def cells(self, limit: int, without: str = "") -> Iterable[list[tuple[Column, Any]]]:
        """Yield the cells of the first rows, as they stand on the page."""
        shown = self.shown(without)
        for row in self.rows[:limit]:
            pairs = zip(self.columns, row, strict=True)
            yield [(column, value) for column, value in pairs if column in shown]

    def command(self, row: int) -> str:
        """Return the command line to type for a row; its ids are quoted for the shell."""
        if self.listing.command is None:
            return ""
        words, options = _COMMANDS[self.listing.command]
        values = dict(zip((c.name for c in self.columns), self.rows[row], strict=True))
        return " ".join(
            [words]
            + [
                f"{option} {shlex.quote(plain(values[name] or ''))}".strip()
                for option, name in options.items()
            ]
        )


class Reader:
    """Reads listings from ledger and warehouse, and writes each as a CSV.

    Args:
        connection: the ledger in use, the warehouse attached as `good`.
        folder: where the CSVs go.
        limit: rows of a listing that are read.
        names: students are named and personal values shown.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, folder: Path, limit: int, *, names: bool
    ) -> None:
        self._connection = connection
        self._folder = folder
        self._limit = limit
        self._names = names
        self.tables: dict[str, Table] = {}

    def read(self, listing: Listing) -> None:
        """Read the first rows of a listing, and write all of them as a CSV.

        A warehouse built before a table existed lacks it until its next cycle; that is no failure.
        """
        name = identifier(f"listing_{listing.name}")
        try:
            self._create(listing, name)
        except duckdb.CatalogException:
            self.tables[listing.name] = Table(listing, (), [], 0, is_known=False)
            return
        described = self._connection.execute(f"describe {name}").fetchall()
        labels = _LABELS | listing.labels
        columns = tuple(
            Column(column, labels.get(column, column.replace("_", " ")), _kind(column, type_))
            for column, type_, *_ in described
        )
        self.tables[listing.name] = self._first(listing, columns, f"from {name}", [])
        if self.tables[listing.name].total:
            path = self._folder / f"{listing.name}.csv"
            _write_csv(self._connection, name, columns, path)

    def _create(self, listing: Listing, name: str) -> None:
        sql = listing.sql
        parameters = {"names": self._names} if "$names" in sql else {}
        self._connection.execute(f"create temp table {name} as {sql}", parameters)
        if not self._names:
            for column in listing.personal:
                self._connection.execute(f"alter table {name} drop column {identifier(column)}")

    def part(self, name: str, condition: str, value: Any) -> Table:
        """Return the rows of a listing that meet a condition on one value."""
        whole = self.tables[name]
        if not whole.is_known:
            return whole
        rows = f"from {identifier(f'listing_{name}')} where {condition}"
        return self._first(whole.listing, whole.columns, rows, [value])

    def _first(
        self, listing: Listing, columns: tuple[Column, ...], rows: str, values: list[Any]
    ) -> Table:
        first = self._connection.execute(f"{rows} limit {self._limit}", values).fetchall()
        counted = self._connection.execute(f"select count(*) {rows}", values).fetchall()
        return Table(listing, columns, first, counted[0][0])


def _kind(column: str, sql_type: str) -> Kind:
    if column in ("code", "cycle"):
        return column  # type: ignore[return-value]
    if sql_type.startswith(_NUMBERS):
        return "number"
    return "time" if sql_type in ("TIMESTAMP", "DATE") else "text"


def _write_csv(
    connection: duckdb.DuckDBPyConnection, table: str, columns: tuple[Column, ...], path: Path
) -> None:
    """Write every row, with the mark by which a spreadsheet knows UTF-8."""
    fields = ", ".join(
        f"{plain_sql(identifier(c.name))} as {identifier(c.name)}"
        if c.kind in ("text", "code")
        else identifier(c.name)
        for c in columns
    )
    head = "\ufeff" + ",".join(column.name for column in columns) + "\n"
    connection.execute(
        f"copy (select {fields} from {table}) to {literal(str(path))} "
        f"(format csv, header false, prefix {literal(head)}, suffix '\n')"
    )


def words(value: Any) -> str:
    """Write a value as people read it: nothing for null, times to the minute, UTC."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M")
        case date():
            return value.isoformat()
        case int():
            return f"{value:,}"
        case float() | Decimal():
            return f"{value:,.1f}"
        case _:
            return plain(str(value))

"""Reading for a trace: the ledger, raw tables, the archive and the last good warehouse.

Only what is on the chain is read: raw tables by file and record number, or by key, in both of
which DuckDB skips the blocks that cannot hold it.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, cast

import duckdb

from rollcall.contracts.layouts import LINEAGE, Framing, Layout
from rollcall.contracts.project import Contracts
from rollcall.csvfile.blanks import visible
from rollcall.databases import need_last_good
from rollcall.errors import RollcallError, UsageError
from rollcall.home import Home
from rollcall.ledger.entries import POINTER_COLUMNS, delivery_of
from rollcall.ledger.sql import (
    CASTS,
    as_text,
    identifier,
    literal,
    normalized,
    record_key,
    record_key_of,
    rows,
    trimmed,
)
from rollcall.trace.originals import (
    STRUCTURAL,
    Original,
    Pointer,
    column_names,
    cut,
    frame_pointers,
    open_original,
)

_LAST_CHARACTER = "\U0010ffff"
_FILES = """
    select files.*, deliveries.archive_sha256, decided.decision,
        seen.first_cycle_id is not null as is_visible
    from landing.files
    inner join landing.deliveries using (delivery_id)
    left join (
        select file_id, max_by(decision, decision_id) as decision
        from landing.decisions group by file_id
    ) as decided using (file_id)
    left join good.audit.audit_ingestion_log as seen using (file_id)
"""
"""SQL: the entries of files, with what a trace has to know of their deliveries and decisions."""


@dataclass(frozen=True, slots=True)
class Mart:
    """The public table with one row for each record of a feed.

    `key` is the text of a row's key as SQL, `key_columns` the columns that it is made of.
    """

    table: str
    key: str
    key_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reader:
    """A data directory opened: the ledger, and the last good warehouse attached as `good`."""

    home: Home
    contracts: Contracts
    connection: duckdb.DuckDBPyConnection
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    def rows(self, sql: str, *parameters: object) -> list[dict[str, Any]]:
        """Ask a question; each row as column -> value."""
        return rows(self.connection, sql, parameters)

    def file(self, file_id: str) -> dict[str, Any]:
        """Return the entry of a file, with its delivery's archive_sha256, decision, is_visible."""
        self.load([file_id])
        return self.files[file_id]

    def load(self, file_ids: Iterable[str]) -> None:
        """Read the entries of files that are not known yet, together."""
        missing = [literal(file_id) for file_id in set(file_ids) - set(self.files)]
        if missing:
            for file in self.rows(f"{_FILES} where files.file_id in ({', '.join(missing)})"):
                self.files[file["file_id"]] = file

    def mart(self, feed: str | None) -> Mart | None:
        """Return the mart of a feed; None when its records are kept raw only."""
        found = self.contracts.mart_of(feed or "")
        if found is None or not self.has(found[0]):
            return None
        table, columns = found
        key = record_key(
            [as_text(column.staged_column, column.data_type) for column in columns],
            [column.may_be_blank for column in columns],
        )
        return Mart(table, key, tuple(column.staged_column for column in columns))

    def has(self, table: str) -> bool:
        """Say whether the last good warehouse holds a table; not where no source has its family."""
        schema, name = table.split(".")
        return bool(
            self.rows(
                "select 1 from duckdb_columns() where database_name = 'good' "
                "and schema_name = ? and table_name = ? limit 1",
                schema,
                name,
            )
        )

    def stored(self, file_id: str, record_number: int) -> Pointer:
        """Point at a well-formed record that the warehouse rests on."""
        [pointer] = self._stored(
            self.file(file_id)["raw_table"],
            "file_id = ? and record_number = ?",
            file_id,
            record_number,
        )
        return pointer

    def find(self, file: dict[str, Any], *, line: int | None, record: int | None) -> Pointer:
        """Find the record of a file that holds a physical line or, without one, has a number.

        Raises:
            UsageError: there is none; the message says what is there.
            RollcallError: the archive does not hold the file as it was delivered.
        """
        name = file["file_name"]
        if file["record_count"] is None:
            raise UsageError(
                f"{name} was rejected as a whole and its records cannot be told apart "
                f"({file['code']}): {file['detail']}"
            )
        column, wanted = ("record_number", record) if line is None else ("line_number", line)
        find = self._find_framed if file["verdict"] == "rejected" else self._find_stored
        pointer = find(file, column, wanted)
        if line is None and (pointer is None or pointer.record_number != record):
            raise UsageError(
                f"There is no record {record} in {name}; its {file['record_count']} records are "
                "counted from 1, the header aside."
            )
        if pointer is None:
            raise UsageError(f"Line {line} of {name} is its header or blank; records come after.")
        if line is not None:
            last = pointer.line_number + self.originals([pointer])[0].line_count - 1
            if line > last:
                raise UsageError(
                    f"Line {line} of {name} is blank or behind its end; the record before it is "
                    f"number {pointer.record_number} and ends on line {last}."
                )
        return pointer

    def _find_stored(self, file: dict[str, Any], column: str, wanted: int | None) -> Pointer | None:
        """Find the last record whose number, or whose first line, is not beyond the wanted one."""
        condition = f"file_id = ? and {column} <= ? order by {column} desc limit 1"
        found = self._stored(file["raw_table"], condition, file["file_id"], wanted)
        found += self._malformed(condition, file["file_id"], wanted)
        found += self._structural(condition, file["file_id"], wanted)
        return max(found, key=lambda pointer: pointer.record_number, default=None)

    def _find_framed(self, file: dict[str, Any], column: str, wanted: int | None) -> Pointer | None:
        """Find the same in a file whose records are not stored, reading it from the start."""
        limits = self.contracts.sources[file["source_id"]].limits
        last = None
        with self._open(file) as stream:
            for pointer in frame_pointers(
                stream,
                file["file_id"],
                self.encoding(file),
                self.framing(file),
                int(limits.max_record_bytes),
            ):
                if getattr(pointer, column) > wanted:
                    break
                last = pointer
        return last

    def key(self, pointer: Pointer) -> str | None:
        """Return the key that a record names; None when none can be read."""
        file = self.file(pointer.file_id)
        if pointer.malformed_code == STRUCTURAL:
            return None
        if file["verdict"] == "rejected":
            return self._delivered_key(file, pointer)
        if pointer.malformed_code is None:
            table, key = file["raw_table"], self._key(file["feed"], file["layout_version"])
        else:
            table, key = "landing.malformed_records", "record_key"
        [row] = self.rows(
            f"select {key} as key from {table} where file_id = ? and record_number = ?",
            pointer.file_id,
            pointer.record_number,
        )
        return cast(str | None, row["key"])

    def _delivered_key(self, file: dict[str, Any], pointer: Pointer) -> str | None:
        """Read the key of a record that is not stored, where the header names the key columns."""
        named = dict(zip(self.header(file), self.originals([pointer])[0].fields, strict=False))
        for layout in self.contracts.versions(file["feed"] or ""):
            names = [column.name for column, _ in layout.keys]
            if set(names) <= set(named):
                may_be_blank = [column.may_be_blank for column, _ in layout.keys]
                return record_key_of([visible(named[name]) for name in names], may_be_blank)
        return None

    def naming(self, source_id: str, feed: str, key: str) -> list[Pointer]:
        """Point at every stored record of a source and feed that names a key.

        Blanks around a key never count. The bounds on it let DuckDB skip the blocks without it.
        """
        of_feed = "file_id in (select file_id from landing.files where source_id = ? and feed = ?)"
        found = self._malformed(f"record_key = ? and {of_feed}", key, source_id, feed)
        versions = self.rows(
            "select distinct layout_version, raw_table from landing.files where source_id = ? "
            "and feed = ? and verdict <> 'rejected' order by layout_version",
            source_id,
            feed,
        )
        keys = {
            self._key(feed, row["layout_version"]): (row["layout_version"], row["raw_table"])
            for row in versions
        }
        for name, (version, raw_table) in keys.items():
            near, bounds = self._near(feed, version, key)
            found += self._stored(
                raw_table, f"{name} = ? and {near} and {of_feed}", key, *bounds, source_id, feed
            )
        return found

    def originals(self, pointers: Sequence[Pointer]) -> list[Original]:
        """Cut records from the archive, in the order given.

        What was stored of a record when it landed must be what the archive says now.

        Raises:
            RollcallError: the archive does not hold a file, or a record, as it was delivered.
        """
        found: dict[tuple[str, int], Original] = {}
        for file_id in dict.fromkeys(pointer.file_id for pointer in pointers):
            file = self.file(file_id)
            of_file = [pointer for pointer in pointers if pointer.file_id == file_id]
            with self._open(file) as stream:
                originals = cut(stream, self.encoding(file), self.framing(file), of_file)
            for number, stored in self._stored_fields(file, of_file).items():
                if stored != sorted(field for field in originals[number].fields if field):
                    raise RollcallError(
                        f"Record {number} of {file['file_name']} is no longer what landed; "
                        "`rollcall verify` says what has been changed."
                    )
            found |= {(file_id, number): original for number, original in originals.items()}
        return [found[pointer.file_id, pointer.record_number] for pointer in pointers]

    def _stored_fields(
        self, file: dict[str, Any], pointers: Sequence[Pointer]
    ) -> dict[int, list[str]]:
        """Return the fields of well-formed records as stored, sorted, blank ones left out."""
        numbers = [str(p.record_number) for p in pointers if p.malformed_code is None]
        if file["verdict"] == "rejected" or not numbers:
            return {}
        stored = self.rows(
            f"select * exclude ({', '.join(LINEAGE)}, metadata), record_number, "
            f"map_values(metadata) as extra from {file['raw_table']} "
            f"where file_id = ? and record_number in ({', '.join(numbers)})",
            file["file_id"],
        )
        return {
            row.pop("record_number"): sorted(
                field for field in (*(row.pop("extra") or ()), *row.values()) if field
            )
            for row in stored
        }

    def header(self, file: dict[str, Any]) -> tuple[str, ...]:
        """Read the names of the columns as delivered."""
        with self._open(file) as stream:
            return column_names(stream, self.encoding(file), self.framing(file))

    def encoding(self, file: dict[str, Any]) -> str:
        """Say by which encoding a file is read; that of its source when it was rejected at once."""
        return file["encoding"] or self.contracts.sources[file["source_id"]].encoding

    def framing(self, file: dict[str, Any]) -> Framing:
        """Say how the records of a file are told apart: as its layout of today has it."""
        return self.contracts.framing_of(file["feed"], file["layout_version"])

    def _open(self, file: dict[str, Any]) -> AbstractContextManager[BinaryIO]:
        return open_original(self.home, delivery_of(self.connection, file), file)

    def _layout(self, feed: str, version: str) -> Layout | None:
        """Return a layout; None of one that the contracts of today do not have."""
        of_feed = self.contracts.versions(feed)
        return next((layout for layout in of_feed if layout.version == version), None)

    def _key(self, feed: str, version: str) -> str:
        """Return the key of a record of a layout, as SQL on its raw table; null when blank."""
        layout = self._layout(feed, version)
        if layout is None:
            return "null"
        parts = []
        for column, raw_column in layout.keys:
            parts.append(normalized(trimmed(identifier(raw_column)), column.kind))
        return record_key(parts, [column.may_be_blank for column, _ in layout.keys])

    def _near(self, feed: str, version: str, key: str) -> tuple[str, tuple[str, ...]]:
        """Return a condition that lets DuckDB skip blocks without a key, and its parameters.

        It holds of every record with the key, blanks around it or not; of a key of several columns,
        or one that is not compared as text, it says nothing.
        """
        layout = self._layout(feed, version)
        if layout is None or len(layout.keys) > 1 or layout.keys[0][0].kind in CASTS:
            return "true", ()
        column = identifier(layout.key_columns[0])
        return (
            f"({column} between ? and ? or {column} < '!' or {column} > '~')",
            (key, key + _LAST_CHARACTER),
        )

    def _stored(self, raw_table: str, condition: str, *parameters: object) -> list[Pointer]:
        return [
            Pointer(*row)
            for row in self.connection.execute(
                f"select {', '.join(POINTER_COLUMNS)} from {raw_table} where {condition}",
                parameters,
            ).fetchall()
        ]

    def _malformed(self, condition: str, *parameters: object) -> list[Pointer]:
        return [
            Pointer(*row)
            for row in self.connection.execute(
                f"select {', '.join(POINTER_COLUMNS)}, byte_length, code "
                f"from landing.malformed_records where {condition}",
                parameters,
            ).fetchall()
        ]

    def _structural(self, condition: str, *parameters: object) -> list[Pointer]:
        return [
            replace(Pointer(*row), malformed_code=STRUCTURAL)
            for row in self.connection.execute(
                f"select {', '.join(POINTER_COLUMNS)}, byte_length "
                f"from landing.structural_records where {condition}",
                parameters,
            ).fetchall()
        ]


@contextmanager
def reading(home: Home, contracts: Contracts) -> Iterator[Reader]:
    """Open a data directory for tracing.

    Raises:
        UsageError: nothing has landed, no warehouse has been published, or it is another's.
        BusyError: another program kept the ledger open for ten minutes.
    """
    with home.landing(read_only=True) as connection:
        need_last_good(home, connection)
        yield Reader(home, contracts, connection)

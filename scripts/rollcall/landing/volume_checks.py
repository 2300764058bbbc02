"""Does a file remove, rename or change more than a night's work, compared with what is active?

The comparison is with the records that are active in the last good cycle, so that a limit does not
forget: a school that was missing yesterday, and held, is still missing today.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from rollcall.clock import local_date
from rollcall.contracts.layouts import Column, Layout
from rollcall.contracts.sources import Limits
from rollcall.landing.turn_of_term import StoredFile, expected_to_go
from rollcall.landing.verdicts import TERMS, Effect, Judgement, named_orgs
from rollcall.ledger.parts import whole_by
from rollcall.ledger.sql import (
    as_text,
    day_of,
    identifier,
    literal,
    normalized,
    record_key,
    trimmed,
)
from rollcall.ledger.stages import schema_of

_ORGS = "oneroster/orgs"
_LARGE = 100_000

DELETING_STATUSES = ("tobedeleted", "inactive")
"""The values of a status that delete a record. dbt's macro `is_deletion` decides; a test holds
these equal to it. They are needed here to hold a file before any of its deletions is published."""


def judge_volume(connection: duckdb.DuckDBPyConnection, file: StoredFile) -> Iterator[Judgement]:
    """Yield what the number of removed, renamed and changed records says against a file.

    Nothing is reported while no cycle has completed, or of a feed that is not staged.
    """
    comparison = _Comparison.of(connection, file)
    if comparison is None:
        return
    limits = file.source.limits
    active, removed = comparison.count()
    if file.mode == "bulk" and removed:
        yield from _judge_what_is_hidden(file, active, removed)
    # Of a bulk that keeps none of what is active, however little that is, something is wrong.
    floor = limits.floor_count
    if file.mode == "bulk" and removed == active:
        floor = min(floor, max(removed, 1))
    if removed >= floor and file.record_count:
        limits = replace(limits, floor_count=floor)
        yield from _judge_removals(comparison, file, limits, active, removed)
    if file.mode == "bulk" and limits.max_changed_percent < 100:
        yield from _judge_changes(connection, file, file.source.limits)


def _judge_what_is_hidden(file: StoredFile, active: int, removed: int) -> Iterator[Judgement]:
    """Yield why a bulk may lack records without meaning to, where active ones are missing."""
    if not file.record_count:
        yield Judgement(
            "NO_RECORDS",
            f"The file holds a header and no record; {removed} active records would be removed.",
            Effect.HOLD_REMOVALS,
        )
    elif file.hidden_key_count:
        yield Judgement(
            "KEY_UNREADABLE",
            f"{removed} of {active} active records are missing, and malformed records of the file "
            f"({file.hidden_key_count}) hide their key, so these may be the missing ones.",
            Effect.HOLD_REMOVALS,
        )


def _judge_removals(
    comparison: "_Comparison", file: StoredFile, limits: Limits, active: int, removed: int
) -> Iterator[Judgement]:
    renamed = comparison.count_renamed()
    if renamed >= limits.floor_count and renamed * 100 > limits.max_renamed_percent * removed:
        yield Judgement(
            "ID_CHURN",
            f"{removed} of {active} active records are missing, and {renamed} of them are there "
            "under another id.",
            Effect.HOLD,
        )
        return
    broken = [
        f"org '{org_id}' lacks {lacking} of {of_org}"
        for org_id, of_org, lacking in comparison.count_by_org()
        if lacking >= limits.floor_count and lacking * 100 > limits.max_removed_percent * of_org
    ]
    if removed * 100 > limits.max_removed_percent * active or broken:
        yield Judgement(
            "MASS_DELETION",
            f"{removed} of {active} active records would be removed "
            f"({removed * 100 / active:.1f} %, limit {limits.max_removed_percent:g} %)"
            + named_orgs(broken),
            Effect.HOLD if file.source.removal_policy == "hold_file" else Effect.HOLD_REMOVALS,
        )


def _judge_changes(
    connection: duckdb.DuckDBPyConnection, file: StoredFile, limits: Limits
) -> Iterator[Judgement]:
    """Compare with the bulk before, as it was stored: text against text, in what both can hold."""
    before = connection.execute(
        "select file_id, layout_version from landing.files where source_id = ? and raw_table = ? "
        f"and mode = 'bulk' and verdict = 'accepted' and exported_at < ? {_lists_the_same(file)}"
        "order by exported_at desc limit 1",
        [file.source.source_id, file.layout.raw_table, file.exported_at],
    ).fetchone()
    if before is None:
        return
    columns = ", ".join(identifier(raw_column) for raw_column in file.layout.key_columns)
    shared_columns = connection.execute(
        "select distinct raw_column from landing.layout_columns where feed = ? "
        "and layout_version in (?, ?) group by raw_column having count(*) = ? order by all",
        [file.feed.feed, before[1], file.layout.version, 2 - (before[1] == file.layout.version)],
    ).fetchall()
    fields = ", ".join(identifier(name) for (name,) in shared_columns)

    def rows(file_id: str, condition: str = "true") -> str:
        return f"(from {file.layout.raw_table} where file_id = {literal(file_id)} and {condition})"

    def different(condition: str = "true") -> str:
        old = f"(select hash({fields}) as h from {rows(before[0], condition)})"
        return f"{rows(file.file_id, condition)} anti join {old} on h = hash({fields})"

    # What is different has changed or is new. Of a large file one key in eight, always the same,
    # tells whether that comes near the limit at all.
    total = _count(connection, rows(file.file_id))
    one_in = 8 if total >= _LARGE else 1
    found = _count(connection, different(f"hash({columns}) % {one_in} = 0")) * one_in
    if found * 100 <= (limits.max_changed_percent - 5) * total:
        return
    keys = f"(select hash({columns}) as key_hash from {rows(before[0])})"
    known = f"{keys} on key_hash = hash({columns})"
    shared = _count(connection, f"{rows(file.file_id)} semi join {known}")
    changed = _count(connection, f"(from {different()}) semi join {known}")
    if changed >= limits.floor_count and changed * 100 > limits.max_changed_percent * shared:
        yield Judgement(
            "MASS_CHANGE",
            f"{changed} of {shared} known records have changed since the bulk before "
            f"({changed * 100 / shared:.1f} %, limit {limits.max_changed_percent:g} %).",
            Effect.HOLD if file.source.change_policy == "hold" else Effect.NOTE,
        )


def _lists_the_same(file: StoredFile) -> str:
    """Write a condition: a file lists one of the values within which this one is whole."""
    part = whole_by(file.feed, file.layout)
    if part is None:
        return ""
    values = f"select {part[1]} from {file.layout.raw_table}"
    listed = f"{values} where file_id = landing.files.file_id"
    return f"and exists ({listed} intersect {values} where file_id = {literal(file.file_id)}) "


def _count(connection: duckdb.DuckDBPyConnection, rows: str) -> int:
    [(count,)] = connection.execute(f"select count(*) from {rows}").fetchall()
    return int(count)


def judge_school_year(
    connection: duckdb.DuckDBPyConnection, file: StoredFile
) -> Iterator[Judgement]:
    """Say that a file of terms knows only years that are over, while later ones are active."""
    comparison = _Comparison.of(connection, file)
    staged = next(
        ((column, target) for column, target in file.layout.staged if column.name == "endDate"),
        None,
    )
    if file.feed.feed != TERMS or comparison is None or staged is None:
        return
    column, target = staged
    stored = f"{file.layout.raw_table} where file_id = {literal(file.file_id)}"
    found = connection.execute(
        "select cast(last_day as varchar), cast(known_day as varchar) from "
        f"(select max({day_of(trimmed(identifier(target)))}) as last_day from {stored}), "
        f"(select max({column.staged_column}) as known_day from {comparison.active}) "
        "where last_day < known_day and last_day <= ?",
        [local_date(file.exported_at, file.source.time_zone)],
    ).fetchone()
    if found:
        last_day, known_day = found
        yield Judgement(
            "SCHOOL_YEAR_MISMATCH",
            f"The last term of the delivery ended on {last_day}, but terms until {known_day} are "
            "known; it looks like an export of another school year.",
            Effect.HOLD,
        )


@dataclass(frozen=True, slots=True)
class _Comparison:
    """SQL that compares a stored file with the active records of its feed.

    `active` are the active rows of the mart of the feed, of a bulk those of which it is whole;
    `removed` those of them that the file would remove: known before a bulk and absent from it, or
    deleted by a record. Keys are compared by a hash of 64 bits, which is faster; should two ever
    meet, one removal is not counted.
    """

    connection: duckdb.DuckDBPyConnection
    file: StoredFile
    key: str
    stored_key: str
    active: str
    removed: str

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection, file: StoredFile) -> "_Comparison | None":
        """Build the comparison; None when there is nothing to compare with."""
        mart = file.feed.mart
        of_pilot = f"{schema_of(file.source.source_id)}.{mart.split('.')[-1]}"
        if _has_table(connection, of_pilot):  # a pilot is compared with what is its own
            mart = of_pilot
        elif not _has_table(connection, mart):
            return None
        keys = file.layout.keys
        may_be_blank = [column.may_be_blank for column, _ in keys]
        key = record_key(
            [as_text(column.staged_column, column.kind) for column, _ in keys], may_be_blank
        )
        stored_key = record_key(
            [normalized(trimmed(identifier(raw)), column.kind) for column, raw in keys],
            may_be_blank,
        )
        stored = f"{file.layout.raw_table} where file_id = {literal(file.file_id)}"
        part = whole_by(file.feed, file.layout) if file.mode == "bulk" else None
        listed = ""
        if part:
            name, value = part
            listed = f"and exists (from {stored} and {value} is not distinct from known.{name})"
        active = (
            f"(select * from good.{mart} as known where is_active "
            f"and source_id = {literal(file.source.source_id)} {listed}) as active"
        )
        deletes = _deletes(file.layout)
        stored_keys = f"select hash({stored_key}) as key_hash from {stored}"
        is_key = f"on key_hash = hash({key})"
        removed = f"{active} semi join ({stored_keys} and {deletes}) as deleted {is_key}"
        if file.mode == "bulk":
            kept = (
                f"{stored_keys} and not {deletes} union all "
                f"select hash(record_key) from landing.malformed_records "
                f"where file_id = {literal(file.file_id)} and record_key is not null"
            )
            removed = (
                f"{active} anti join ({kept}) as kept {is_key} "
                f"where exported_at <= {literal(str(file.exported_at))}::timestamp"
            )
        return cls(connection, file, key, stored_key, active, removed)

    def count(self) -> tuple[int, int]:
        """Count the active records, and those of them that the file removes; keep the latter.

        What goes because its term is over is not counted as removed.
        """
        self.connection.execute(
            f"create or replace temp table removed_records as select * from {self.removed}"
        )
        if self._ask("from temp.removed_records limit 1"):
            gone = f"hash({self.key}) in (select hash({self.key}) from temp.removed_records)"
            kept = f"(select * from {self.active} where not {gone})"
            goes = expected_to_go(self.connection, self.file, kept)
            self.connection.execute(f"delete from temp.removed_records where {goes}")
        [(active, removed)] = self._ask(
            f"select (select count(*) from {self.active}), "
            "(select count(*) from temp.removed_records)"
        )
        return int(active), int(removed)

    def count_renamed(self) -> int:
        """Count the removed records that the file holds under an id that is not known."""
        pairs = {column.name: (column, target) for column, target in self.file.layout.staged}
        names = self.file.feed.recognised_by
        if not names or any(name not in pairs for name in names):
            return 0
        known = ", ".join(_recognised_in_mart(pairs[name][0]) for name in names)
        stored = ", ".join(_recognised_in_file(*pairs[name]) for name in names)
        [(renamed,)] = self._ask(
            f"select count(*) from temp.removed_records where ({known}) in ("
            f"select ({stored}) from {self.file.layout.raw_table} "
            f"where file_id = {literal(self.file.file_id)} "
            f"and {self.stored_key} not in (select {self.key} from {self.active}))"
        )
        return int(renamed)

    def count_by_org(self) -> list[tuple[str, int, int]]:
        """Count active and removed records by org, where the records of the feed name one."""
        columns = [
            column
            for column, _ in self.file.layout.staged
            if column.references == _ORGS and self.file.feed.feed != _ORGS
        ]
        if not columns:
            return []
        name = columns[0].staged_column
        org = f"unnest({name})" if columns[0].data_type == "reflist" else name
        return self._ask(
            f"with removed as (select {org} as org_id from temp.removed_records), "
            f"active as (select {org} as org_id from {self.active}), "
            "lacking as (select org_id, count(*) as removed_count from removed group by org_id) "
            "select org_id, count(*), any_value(removed_count) "
            "from active inner join lacking using (org_id) group by org_id order by org_id"
        )

    def _ask(self, sql: str) -> list[Any]:
        return self.connection.execute(sql).fetchall()


def _recognised_in_mart(column: Column) -> str:
    """Return the text of a column of the mart by which a thing is recognised without its id."""
    name = column.staged_column
    if column.data_type in ("list", "reflist"):
        return f"array_to_string(list_sort({name}), ',')"
    return f"coalesce(lower({as_text(name, column.kind)}), '')"


def _recognised_in_file(column: Column, raw_column: str) -> str:
    """Return the same of a stored record."""
    text = trimmed(identifier(raw_column))
    if column.data_type in ("list", "reflist"):
        items = f"list_transform(string_split({text}, ','), lambda item: {trimmed('item')})"
        return f"array_to_string(list_sort({items}), ',')"
    return f"coalesce(lower({normalized(text, column.kind)}), '')"


def _deletes(layout: Layout) -> str:
    """Return the condition under which a stored record deletes its key."""
    for column, target in layout.staged:
        if column.staged_column == "is_deleted":
            return f"coalesce(lower({trimmed(identifier(target))}) in {DELETING_STATUSES}, false)"
    return "false"


def may_remove(connection: duckdb.DuckDBPyConnection, file: StoredFile) -> bool:
    """Say whether a file can remove a record at all: a bulk by what it lacks, a delta by name."""
    stored, deletes = file.layout.raw_table, _deletes(file.layout)
    deletions = connection.execute(
        f"select 1 from {stored} where file_id = ? and {deletes} limit 1", [file.file_id]
    )
    return file.mode == "bulk" or deletions.fetchone() is not None


def _has_table(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Say whether the last good warehouse is attached and holds a table (`schema.table`)."""
    found = connection.execute(
        "select count(*) from duckdb_tables() where database_name = 'good' "
        "and schema_name || '.' || table_name = ?",
        [table],
    ).fetchone()
    return found is not None and found[0] == 1

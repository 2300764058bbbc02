"""Tracing by row or line: from a row of a mart back to its line, from a line to what it became."""

from dataclasses import dataclass, replace
from typing import Any

from rollcall.contracts.project import Contracts
from rollcall.errors import UsageError
from rollcall.home import Home
from rollcall.ledger.entries import find_file
from rollcall.project import PUBLIC_SCHEMAS
from rollcall.sanitize import readable_name
from rollcall.trace.mastery import OVERRIDES, gates, nearest
from rollcall.trace.originals import Pointer
from rollcall.trace.reader import Reader, reading
from rollcall.trace.records import Version, judge, places

_MADE_IN = ("core", "audit")
_LINEAGE = ("source_id", "file_id", "record_number")
_EVIDENCE = """
    select student_key, student_id, objective_id, source_id, evidence_id, percent, disposition
    from good.progression.fct_evidence
    where file_id = ? and record_number = ?
    order by student_key, objective_id
"""
_OVERRIDES = """
    select student_key, student_id, objective_id, override_id, action, is_current
    from good.audit.audit_override
    where file_id = ? and record_number = ?
"""
_OUTCOME = """
    select student_key, student_id, objective_id, state, is_completed, score_percent, since
    from good.progression.fct_mastery
    where student_key = ? and objective_id = ?
"""


@dataclass(frozen=True, slots=True)
class RecordTrace:
    """A record: what it says, what became of it, what rests on it, and its key elsewhere.

    Attributes:
        key: the key it names; None when it names none that can be read.
        columns: the header of its file.
        version: the record with its line, and what became of it.
        presence: of the key in the last good cycle: active, deleted or absent; None when unknown.
        made: the tables that hold a row made of this very record.
        referring: columns of marts that name the key, and in how many rows.
        evidence: what it says of students and objectives.
        overrides: the teacher's decision that it is, if any.
        outcomes: the states that rest on it.
        gates: the steps of learning paths that rest on these states.
        versions: every stored record that names the key, oldest export first; this one included.
        decisions: what persons decided of its file; their words and accounts only when asked for.
    """

    source_id: str
    feed: str | None
    key: str | None
    columns: tuple[str, ...]
    version: Version
    presence: str | None
    made: list[str]
    referring: list[dict[str, Any]]
    evidence: list[dict[str, Any]]
    overrides: list[dict[str, Any]]
    outcomes: list[dict[str, Any]]
    gates: list[dict[str, Any]]
    versions: list[Version]
    decisions: list[dict[str, Any]]


def trace_row(
    home: Home,
    contracts: Contracts,
    table: str,
    key: str,
    source_id: str | None,
    *,
    with_names: bool,
) -> RecordTrace:
    """Trace a row of a table that keeps its lineage back to the record it was made of.

    Args:
        home: the data directory.
        contracts: the contracts of the project.
        table: the table with its schema.
        key: the row's id by its source.
        source_id: its source, where more than one knows the key.
        with_names: add the words and accounts of those who decided on the file.

    Raises:
        UsageError: there is no such table or row; the message says what there is.
        RollcallError: the archive does not hold the file as it was delivered.
    """
    with reading(home, contracts) as reader:
        key_sql, name = _row_key(reader, table)
        found = reader.rows(
            f"select distinct source_id, file_id, record_number, exported_at "
            f"from (select source_id, file_id, record_number from good.{table} "
            f"where {key_sql} = ? and source_id = coalesce(?, source_id)) "
            "inner join (select file_id, exported_at from landing.files) using (file_id) "
            "order by exported_at desc, file_id, record_number",
            key,
            source_id,
        )
        if not found:
            raise UsageError(
                f"{table} has no row with {name} '{readable_name(key)}'. "
                + nearest(reader, table, key_sql, key)
            )
        sources = sorted({row["source_id"] for row in found})
        if len(sources) > 1:
            raise UsageError(
                f"Several sources have this {name}: {', '.join(sources)}; name one with --source."
            )
        file = reader.file(found[0]["file_id"])
        pointer = reader.find(file, line=None, record=found[0]["record_number"])
        return _trace(reader, pointer, with_names=with_names)


def trace_line(
    home: Home,
    contracts: Contracts,
    file: str,
    line: int | None,
    record: int | None,
    *,
    with_names: bool,
) -> RecordTrace:
    """Trace a record of a landed file to what it became.

    Args:
        home: the data directory.
        contracts: the contracts of the project.
        file: the file, by id or name.
        line: a physical line of it; or
        record: the number of a record.
        with_names: add the words and accounts of those who decided on the file.

    Raises:
        UsageError: the file, line or record is not found; the message says what there is.
        RollcallError: the archive does not hold the file as it was delivered.
    """
    with reading(home, contracts) as reader:
        found = reader.file(find_file(reader.connection, file)["file_id"])
        pointer = reader.find(found, line=line, record=record)
        return _trace(reader, pointer, with_names=with_names)


def _trace(reader: Reader, pointer: Pointer, *, with_names: bool) -> RecordTrace:
    file = reader.file(pointer.file_id)
    key = reader.key(pointer)
    source_id, feed, at = file["source_id"], file["feed"], (pointer.file_id, pointer.record_number)
    pointers = {pointer: None}
    if key is not None:
        pointers |= dict.fromkeys(reader.naming(source_id, feed, key))
    versions = judge(reader, list(pointers), key)
    [version] = [v for v in versions if (v.record.file_id, v.record.record_number) == at]
    [place] = places(reader, [pointer], with_lines=True)
    made = [
        table
        for table in _tables(reader, feed)
        if reader.rows(
            f"select 1 from good.{table} where file_id = ? and record_number = ? limit 1", *at
        )
    ]
    evidence = reader.rows(_EVIDENCE, *at)
    overrides = reader.rows(_OVERRIDES, *at) if reader.has(OVERRIDES) else []
    subjects = {
        (row["student_key"], row["objective_id"]): row["student_id"]
        for row in (*evidence, *overrides)
    }
    people = "reason, decided_by, " if with_names else ""
    return RecordTrace(
        source_id=source_id,
        feed=feed,
        key=key,
        columns=reader.header(file),
        version=replace(version, record=place),
        presence=_presence(reader, source_id, feed, key),
        made=made,
        referring=_referring(reader, source_id, feed, key),
        evidence=evidence,
        overrides=overrides,
        outcomes=[row for subject in subjects for row in reader.rows(_OUTCOME, *subject)],
        gates=[
            {"student_id": student_id, "objective_id": subject[1], **gate}
            for subject, student_id in subjects.items()
            for gate in gates(reader, subject)
        ],
        versions=versions,
        decisions=reader.rows(
            f"select decision, {people}decided_at from landing.decisions where file_id = ? "
            "order by decision_id",
            pointer.file_id,
        ),
    )


def _row_key(reader: Reader, table: str) -> tuple[str, str]:
    """Return the key of the rows of a table by their source, as SQL, and what it is called.

    It is `record_key` where records of any feed are listed together, `evidence_id` of evidence, and
    otherwise what the feed is keyed by whose table it is, or the feed of its files.

    Raises:
        UsageError: the table does not say which record its rows come from.
    """
    columns = _columns(reader).get(table, [])
    if not columns and table.startswith("progression."):
        raise UsageError(
            f"{table} is traced by what its rows are about: use --student and --objective."
        )
    if not columns:
        traced = ", ".join(_columns(reader))
        raise UsageError(
            f"'{readable_name(table)}' cannot be traced by a key. Use one of {traced}."
        )
    for name in ("record_key", "evidence_id"):
        if name in columns:
            return name, name
    feeds = [feed.feed for feed in reader.contracts.feeds if feed.mart == table] or [
        row["feed"]
        for row in reader.rows(
            f"select feed from (select file_id from good.{table} limit 1) "
            "inner join landing.files using (file_id)"
        )
    ]
    mart = reader.mart(feeds[0]) if feeds else None
    if mart is None or not set(mart.key_columns) <= set(columns):
        raise UsageError(f"{table} holds no row that comes from a record.")
    return mart.key, " | ".join(mart.key_columns)


def _columns(reader: Reader) -> dict[str, list[str]]:
    """Return the columns of every public table whose rows name their record: table -> columns."""
    found = reader.rows(
        "select table_schema || '.' || table_name as name, list(column_name) as columns "
        "from information_schema.columns where table_catalog = 'good' "
        "and list_contains(?, table_schema) group by name order by name",
        [*PUBLIC_SCHEMAS, *(feed.mart.split(".")[0] for feed in reader.contracts.feeds)],
    )
    return {row["name"]: row["columns"] for row in found if set(_LINEAGE) <= set(row["columns"])}


def _tables(reader: Reader, feed: str | None) -> list[str]:
    """List the tables that may hold rows made of records of a feed, its own mart first."""
    mart = reader.mart(feed)
    own = [mart.table] if mart else []
    of_all_feeds = [name for name in _columns(reader) if name.split(".")[0] in _MADE_IN]
    return list(dict.fromkeys([*own, *of_all_feeds]))


def _presence(reader: Reader, source_id: str, feed: str | None, key: str | None) -> str | None:
    """Say whether the thing with this key is there in the last good cycle."""
    mart = reader.mart(feed)
    if mart is None:
        return None
    found = reader.rows(
        "select coalesce(inactive_reason, 'active') as presence "
        f"from good.{mart.table} where source_id = ? and {mart.key} = ?",
        source_id,
        key,
    )
    return found[0]["presence"] if found else None


def _referring(
    reader: Reader, source_id: str, feed: str | None, key: str | None
) -> list[dict[str, Any]]:
    """Count the rows of marts that refer to a key, by the references that the layouts declare."""
    if key is None:
        return []
    references = {
        (mart.table, column.staged_column, column.data_type)
        for layout in reader.contracts.layouts
        for column in layout.columns
        if column.references == feed and column.staged_as and (mart := reader.mart(layout.feed))
    }
    counted = []
    for table, column, data_type in sorted(references):
        is_named = f"list_contains({column}, ?)" if data_type == "reflist" else f"{column} = ?"
        [row] = reader.rows(
            f"select count(*) as row_count from good.{table} where {is_named} "
            "and (source_id = ? or roster_source_id = ?)",
            key,
            source_id,
            source_id,
        )
        if row["row_count"]:
            counted.append({"table": table, "column": column, **row})
    return counted

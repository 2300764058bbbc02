"""The ledger: what was handed over and what became of it, in `landing.duckdb`.

Entries are added. Two things change: the status of a cycle, and the entry of a file or delivery
that is judged again. `landing.events` is a chain that tells all of it: each event carries the
SHA-256 of the one before and of the entries it speaks of, so that a changed, removed or inserted
one shows.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from rollcall.clock import iso
from rollcall.contracts.project import Contracts
from rollcall.contracts.reading import ContractError
from rollcall.ledger.sql import identifier, literal
from rollcall.ledger.version import VERSION, version_of

_SCHEMA = (Path(__file__).parent / "ledger.sql").read_text(encoding="utf-8")
GENESIS = "0" * 64
_ENTRIES = {
    "delivery": {"deliveries": "delivery_id"},
    "file": dict.fromkeys(
        (
            *("files", "malformed_records", "structural_records", "rejected_records"),
            *("replaced_files", "unlinked_students"),
        ),
        "file_id",
    ),
    "decision": {"decisions": "decision_id"},
    "link": {"student_links": "link_id"},
    "mapping": {"mapping_reviews": "job_id"},
    "stage": {"stage_decisions": "stage_decision_id"},
    "promotion": dict.fromkeys(("promotion_checks", "seen_effects"), "job_id"),
    "cycle": dict.fromkeys(
        (
            *("cycles", "cycle_files", "cycle_decisions", "cycle_student_links"),
            *("cycle_stage_decisions", "expected_exports"),
        ),
        "cycle_id",
    ),
    "job": {"findings": "job_id"},
}
"""The tables that events speak of, and the column that says which entry is meant, by what an event
is about; its kind begins with it."""
SUBJECTS = tuple(_ENTRIES)
_SUMS = ", ".join(
    f"sum(cast('0x' || substr(hash, {start}, 16) as ubigint))" for start in (1, 17, 33, 49)
)
"""SQL: the hashes of entries, 64 digits of base 16 each, added up in four parts."""


def prepare(connection: duckdb.DuckDBPyConnection, contracts: Contracts) -> None:
    """Create the ledger, and a raw table for each feed with every column of the contracts.

    Raises:
        ContractError: records have landed that the contracts would now look for elsewhere.
    """
    with transaction(connection):
        connection.execute(_SCHEMA)
        if version_of(connection) != VERSION:
            connection.execute("delete from landing.ledger_version")
            connection.execute("insert into landing.ledger_version values (?)", [VERSION])
        _prepare_raw_tables(connection, contracts.raw_tables)
        _keep_layout_columns(connection, contracts)


def _prepare_raw_tables(
    connection: duckdb.DuckDBPyConnection, wanted: Mapping[str, Sequence[str]]
) -> None:
    """Create each raw table, or add to it what it lacks."""
    there = connection.execute(
        "select schema_name || '.' || table_name, lower(column_name) from duckdb_columns() "
        "where database_name = current_database() and starts_with(schema_name, 'raw_')"
    ).fetchall()
    for table, names in wanted.items():
        known = {name for name_of_table, name in there if name_of_table == table}
        if not known:
            fields = ", ".join(f"{identifier(name)} varchar" for name in names)
            connection.execute(
                f"create schema if not exists {table.split('.')[0]};"
                f"create table {table} (file_id varchar not null, layout_version varchar not null, "
                "record_number bigint not null, line_number bigint not null, "
                f"byte_offset bigint not null, {fields}, metadata map(varchar, varchar))"
            )
            continue
        for name in names:
            if name.lower() not in known:
                connection.execute(f"alter table {table} add column {identifier(name)} varchar")


def _keep_layout_columns(connection: duckdb.DuckDBPyConnection, contracts: Contracts) -> None:
    """Have `landing.layout_columns` say what the contracts say, so that dbt knows where to look."""
    wanted = [
        (
            *(layout.feed, layout.version, position, column.name, raw_column),
            *(column.requirement, column.is_key, column.allows_extension, column.staged_as or None),
        )
        for layout in contracts.layouts
        for position, (column, raw_column) in enumerate(
            zip(layout.columns, layout.raw_columns, strict=True), 1
        )
    ]
    recorded = connection.execute("select * from landing.layout_columns").fetchall()
    if sorted(map(repr, recorded)) == sorted(map(repr, wanted)):
        return
    places = {row[:3]: row[4] for row in wanted}
    landed = set(
        connection.execute(
            "select distinct feed, layout_version from landing.files where verdict <> 'rejected'"
        ).fetchall()
    )
    for feed, version, position, name, raw_column, *_ in recorded:
        place = places.get((feed, version, position), raw_column)
        if place.lower() != raw_column.lower() and (feed, version) in landed:
            raise ContractError(
                f"layouts.csv: column '{name}' of {feed} {version} has landed as '{raw_column}' "
                f"and would now land as '{place}'; give the changed columns a version of their own."
            )
    connection.execute("delete from landing.layout_columns")
    names = (
        *("feed", "version", "position", "name", "raw"),
        *("required", "is_key", "extension", "staged_as"),
    )
    rows_wanted = pa.table(dict(zip(names, map(list, zip(*wanted, strict=True)), strict=True)))
    connection.register("wanted_columns", rows_wanted)
    connection.execute("insert into landing.layout_columns select * from wanted_columns")
    connection.unregister("wanted_columns")


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit what happens inside together, or nothing of it."""
    connection.execute("begin")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


def next_job(connection: duckdb.DuckDBPyConnection) -> int:
    """Number the job about to write; jobs count from 1."""
    return int(_scalar(connection, "select coalesce(max(job_id), 0) + 1 from landing.events"))


def make_id(*parts: str) -> str:
    """Make an identifier that depends on what is identified, never on the order of arrival."""
    return event_hash("", parts)[:16]


def put(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    row: Mapping[str, Any],
    *,
    may_be_there: bool = False,
) -> None:
    """Add one row, given as column -> value.

    Where `may_be_there`, as that of a file that is judged again, it takes the place of the row with
    the same key; that costs four times as much.
    """
    columns = ", ".join(row)
    marks = ", ".join("?" for _ in row)
    connection.execute(
        f"insert {'or replace ' * may_be_there}into landing.{table} ({columns}) values ({marks})",
        list(row.values()),
    )


def add_finding(
    connection: duckdb.DuckDBPyConnection,
    *,
    job_id: int,
    file_id: str | None,
    code: str,
    detail: str,
    at: datetime,
    cycle_id: int | None = None,
) -> bool:
    """Append a finding: something a person should know. One that is there stays the only one.

    Returns:
        Whether it was not there before.
    """
    found = [(file_id, code, detail)]
    return add_findings(connection, job_id=job_id, found=found, at=at, cycle_id=cycle_id) > 0


def add_findings(
    connection: duckdb.DuckDBPyConnection,
    *,
    job_id: int,
    found: Sequence[tuple[str | None, str, str]],
    at: datetime,
    cycle_id: int | None,
) -> int:
    """Append findings in their order, each a file (or none), a code and a sentence.

    Returns:
        How many were not there before.
    """
    added = connection.execute(
        """
        insert into landing.findings by name
        with found as (
            select unnest(?::varchar[]) as file_id, unnest(?::varchar[]) as code,
                unnest(?::varchar[]) as detail, unnest(range(len(?::varchar[]))) as place
        )
        select
            (select coalesce(max(finding_number), 0) from landing.findings)
                + row_number() over (order by min(place)) as finding_number,
            ?::bigint as job_id, ?::bigint as cycle_id, file_id, code, detail,
            ?::timestamp as found_at
        from found
        where not exists (
            from landing.findings as known
            where known.code = found.code and known.detail = found.detail
                and known.file_id is not distinct from found.file_id
                and known.cycle_id is not distinct from ?::bigint
        )
        group by file_id, code, detail
        """,
        [
            *([finding[part] for finding in found] for part in range(3)),
            [code for _, code, _ in found],
            job_id,
            cycle_id,
            at,
            cycle_id,
        ],
    ).fetchone()
    return int(added[0]) if added else 0


def note(
    connection: duckdb.DuckDBPyConnection,
    *,
    job_id: int,
    at: datetime,
    kind: str,
    subject: str,
    detail: str = "",
) -> None:
    """Append an event to the chain, with the entries it speaks of as they are now.

    Args:
        connection: the landing database.
        job_id: the job that writes.
        at: when, UTC.
        kind: what happened; its first word says what `subject` is: delivery, file, decision, link,
            stage, cycle, mapping, promotion or job (whose reviews of a mapping, checks of a pilot,
            or findings are meant).
        subject: the id of what it happened to.
        detail: more, without personal values.
    """
    last = connection.execute(
        "select event_number, sha256 from landing.events order by event_number desc limit 1"
    ).fetchone()
    number, previous = (last[0] + 1, last[1]) if last else (1, GENESIS)
    entries = digests(connection, kind.split("_")[0], subject).get(subject, "")
    put(
        connection,
        "events",
        {
            "event_number": number,
            "job_id": job_id,
            "happened_at": at,
            "kind": kind,
            "subject": subject,
            "detail": detail,
            "entries_sha256": entries,
            "previous_sha256": previous,
            "sha256": event_hash(
                previous, [str(number), str(job_id), iso(at), kind, subject, detail, entries]
            ),
        },
    )


def digests(
    connection: duckdb.DuckDBPyConnection, about: str, subject: str | None = None
) -> dict[str, str]:
    """Hash the entries of one subject, or of all that there are: subject -> SHA-256.

    The hashes of its entries are added up, a quarter of their digits at a time: their order does
    not count, and a million of them need no memory. Of all, what tables an older ledger lacks is
    none.
    """
    there = _tables(connection) if subject is None else _ENTRIES[about]
    texts = " union all ".join(
        f"select cast({key} as varchar) as subject, to_json(t) as text from landing.{table} as t"
        for table, key in _ENTRIES[about].items()
        if table in there
    )
    condition = "" if subject is None else f"where subject = {literal(subject)}"
    hashed = f"select subject, sha256(text) as hash from ({texts}) {condition}"
    found = connection.execute(
        f"select subject, count(*), {_SUMS} from ({hashed}) group by subject"
    ).fetchall()
    return {subject: event_hash("", map(str, sums)) for subject, *sums in found}


def keep_first_seen(
    connection: duckdb.DuckDBPyConnection, uploads: Sequence[str], at: datetime
) -> dict[str, datetime]:
    """Keep when each unfinished upload was first seen; one that is not among them is forgotten.

    Returns:
        Upload (`source/name`) to the moment, UTC.
    """
    connection.execute(
        "delete from landing.unfinished_uploads where not list_contains(?::varchar[], delivery)",
        [list(uploads)],
    )
    connection.execute(
        "insert into landing.unfinished_uploads select distinct unnest(?::varchar[]), ?::timestamp "
        "on conflict do update set first_seen_at = least(first_seen_at, excluded.first_seen_at)",
        [list(uploads), at],
    )
    return dict(connection.execute("from landing.unfinished_uploads").fetchall())


def _tables(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Name the tables that a ledger has."""
    found = connection.execute(
        "select table_name from duckdb_tables() where database_name = current_database() "
        "and schema_name = 'landing'"
    ).fetchall()
    return {name for (name,) in found}


def decide(
    connection: duckdb.DuckDBPyConnection,
    *,
    job_id: int,
    file_id: str,
    decision: str,
    reason: str,
    decided_by: str,
    at: datetime,
) -> None:
    """Record what a person decided of a file; the next cycle acts on it."""
    number = _scalar(connection, "select coalesce(max(decision_id), 0) + 1 from landing.decisions")
    put(
        connection,
        "decisions",
        {
            "decision_id": number,
            "job_id": job_id,
            "file_id": file_id,
            "decision": decision,
            "reason": reason,
            "decided_by": decided_by,
            "decided_at": at,
        },
    )
    note(
        connection,
        job_id=job_id,
        at=at,
        kind="decision_taken",
        subject=str(number),
        detail=f"{decision} {file_id}",
    )


def link(
    connection: duckdb.DuckDBPyConnection,
    *,
    job_id: int,
    source_student_key: str,
    student_key: str | None,
    decision: str,
    reason: str,
    decided_by: str,
    at: datetime,
) -> None:
    """Record whose a student is, or that it is nobody's; the next cycle acts on it."""
    number = _scalar(connection, "select coalesce(max(link_id), 0) + 1 from landing.student_links")
    put(
        connection,
        "student_links",
        {
            "link_id": number,
            "job_id": job_id,
            "source_student_key": source_student_key,
            "student_key": student_key,
            "decision": decision,
            "reason": reason,
            "decided_by": decided_by,
            "decided_at": at,
        },
    )
    note(connection, job_id=job_id, at=at, kind="link_decided", subject=str(number))


def decide_stage(
    connection: duckdb.DuckDBPyConnection,
    *,
    job_id: int,
    source_id: str,
    decision: str,
    stage: str,
    reason: str,
    decided_by: str,
    at: datetime,
) -> None:
    """Record the stage of a source; the next cycle acts on it."""
    number = _scalar(
        connection,
        "select coalesce(max(stage_decision_id), 0) + 1 from landing.stage_decisions",
    )
    put(
        connection,
        "stage_decisions",
        {
            "stage_decision_id": number,
            "job_id": job_id,
            "source_id": source_id,
            "decision": decision,
            "stage": stage,
            "reason": reason,
            "decided_by": decided_by,
            "decided_at": at,
        },
    )
    note(
        connection,
        job_id=job_id,
        at=at,
        kind="stage_decided",
        subject=str(number),
        detail=f"{decision} {source_id}",
    )


def event_hash(previous: str, fields: Iterable[str]) -> str:
    """Hash one event: the previous hash and its fields, each with its length in bytes before it."""
    digest = hashlib.sha256(previous.encode())
    for field in fields:
        text = field.encode()
        digest.update(b"%d:" % len(text) + text)
    return digest.hexdigest()


def _scalar(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    row = connection.execute(sql).fetchone()
    return row[0] if row else None

"""Whose a source's student is: what is known, what waits, and what persons decide of it.

A decision is a new entry of the ledger; the next cycle acts on it.
"""

import csv
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path

import duckdb

from rollcall.contracts.project import Contracts
from rollcall.errors import UsageError, needing_room
from rollcall.folders import keep_to_owner
from rollcall.home import Home
from rollcall.ledger import ledger
from rollcall.ledger.decisions import who
from rollcall.ledger.entries import UNLINKED_FILES
from rollcall.ledger.sql import rows
from rollcall.ledger.stages import schema_of

_IDS = "core.dim_student_id"
_MATCHES = "audit.audit_identity_match"
_WORKLIST = "audit.audit_identity_worklist"


@dataclass(frozen=True, slots=True)
class LinkReport:
    """What was decided of which student of a source, and what that does."""

    source_student_key: str
    student_key: str | None
    decision: str
    effect: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A student of a source whose results wait, and whom an id or a name finds, if anybody.

    `file_id` is the file that is held because of too many such students, if one is; of others it is
    said which columns hold their ids, what witnesses say, and since which cycle it is so.
    """

    source_id: str
    source_student_key: str
    outcome: str
    found_student_key: str | None
    waiting_count: int
    file_id: str | None = None
    id_columns: list[str] | None = None
    witnesses: list[str] | None = None
    since_cycle_id: int | None = None


@dataclass(frozen=True, slots=True)
class IdentityReport:
    """How many students each source has by outcome, and those whose results wait.

    `outcomes` maps a source to outcome to count; `waiting` has those with most results first.
    """

    outcomes: dict[str, dict[str, int]]
    waiting: list[Waiting]


def read_identities(home: Home, source: str | None = None) -> IdentityReport:
    """Read how the students of other sources are linked, as the last good cycle has it.

    Args:
        home: the data directory.
        source: the only source that is wanted; all by default.

    Raises:
        UsageError: no cycle has been published, or no source has ids of its own.
    """
    with home.published() as connection:
        _need_ids(connection)
        counted = connection.execute(
            f"select source_id, outcome, count(*) from {_MATCHES} "
            "where coalesce(source_id = $1, true) group by all order by all",
            [source],
        ).fetchall()
        waiting = rows(
            connection,
            "select waiting.source_id, waiting.source_student_key, waiting.outcome, "
            "waiting.found_student_key, waiting_count, id_columns, witnesses, since_cycle_id "
            f"from {_WORKLIST} as waiting inner join {_MATCHES} using (source_student_key) "
            "where coalesce(waiting.source_id = $1, true) "
            "order by waiting_count desc, source_student_key",
            [source],
        )
    with home.landing(read_only=True) as connection:
        waiting += rows(
            connection,
            "select source_id, source_student_key, outcome, found_student_key, "
            "result_count as waiting_count, file_id "
            "from landing.unlinked_students inner join landing.files using (file_id) "
            f"where file_id in (select file_id from ({UNLINKED_FILES})) "
            "and coalesce(source_id = $1, true) "
            "order by result_count desc, source_student_key, file_id",
            [source],
        )
    outcomes: dict[str, dict[str, int]] = {}
    for source_id, outcome, count in counted:
        outcomes.setdefault(source_id, {})[outcome] = count
    return IdentityReport(outcomes, [Waiting(**row) for row in waiting])


def write_worklist(report: IdentityReport, path: Path) -> None:
    """Write the students whose results wait as CSV, which only the account that writes can read."""
    names = [field.name for field in fields(Waiting)]
    with needing_room(path.parent), path.open("w", encoding="utf-8", newline="") as stream:
        keep_to_owner(path)
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([getattr(waiting, name) for name in names] for waiting in report.waiting)


def decide_link(
    home: Home,
    contracts: Contracts,
    source: str,
    id_value: str,
    student: str | None,
    reason: str,
    at: datetime,
) -> LinkReport:
    """Link a student of a source to one of the roster, or unlink it from whomever.

    Where the source is that of the roster, two of its students are one from the next cycle on: the
    evidence of the first is that of the second.

    Args:
        home: the data directory, locked by the caller.
        contracts: the contracts of the project.
        source: the source that has the id.
        id_value: the id, as `core.dim_student_id` has it, or the whole `source_student_key`.
        student: the student's id in the roster; None to unlink.
        reason: why; it is kept with the decision.
        at: the present, UTC.

    Raises:
        UsageError: nobody or more than one has the id, or the roster has no such student.
    """
    if not reason.strip():
        raise UsageError("A decision needs a reason; say why with --reason.")
    if not home.warehouse_db.exists():
        raise home.has_no_warehouse()
    with home.landing() as connection:
        ledger.prepare(connection, contracts)
        home.attach_last_good(connection)
        own_key = _student_of_roster(connection, source, id_value)
        if own_key:
            decided = _merge(connection, own_key, source, student)
        else:
            source_student_key, roster = _student_of_source(connection, source, id_value)
            student_key = _student_named(connection, roster, student) if student else None
            decided = [(source_student_key, student_key, "link" if student_key else "unlink")]
        with ledger.transaction(connection):
            job_id = ledger.next_job(connection)
            for source_student_key, student_key, decision in decided:
                ledger.link(
                    connection,
                    job_id=job_id,
                    source_student_key=source_student_key,
                    student_key=student_key,
                    decision=decision,
                    reason=reason.strip(),
                    decided_by=who(),
                    at=at,
                )
    source_student_key, student_key, decision = decided[0]
    return LinkReport(source_student_key, student_key, decision, _effect(decision, own_key))


def _effect(decision: str, own_key: str | None) -> str:
    if decision == "merge":
        return (
            "From the next cycle on, the results of both are those of the student; what was said "
            "until then stays in the history."
        )
    if own_key:
        return "From the next cycle on, the two are two again."
    if decision == "link":
        return "The next cycle counts the results of all files so far for the student."
    return "The next cycle counts its results for nobody."


def _merge(
    connection: duckdb.DuckDBPyConnection, own_key: str, roster: str, student: str | None
) -> list[tuple[str, str | None, str]]:
    """Return what is to be recorded so that a student of the roster is another one, or no longer.

    Those who are this student already become the other one with it, so that no chain is walked.
    """
    merged = dict(
        connection.execute(
            "select source_student_key, arg_max_null(student_key, link_id) "
            "from landing.student_links group by source_student_key "
            "having max_by(decision, link_id) = 'merge'"
        ).fetchall()
    )
    if student is None:
        if own_key not in merged:
            raise UsageError(f"{own_key} is merged into nobody.")
        return [(own_key, None, "unlink")]
    student_key = _student_named(connection, roster, student)
    if student_key == own_key:
        raise UsageError(f"{own_key} cannot be merged into itself.")
    if student_key in merged:
        raise UsageError(
            f"{student_key} is {merged[student_key]} now; name that one, or unlink it first."
        )
    followers = sorted(key for key, survivor in merged.items() if survivor == own_key)
    return [(key, student_key, "merge") for key in (own_key, *followers)]


def _student_of_roster(
    connection: duckdb.DuckDBPyConnection, source: str, id_value: str
) -> str | None:
    """Return the key of a student whom the source's own roster has, if it does."""
    found = connection.execute(
        "select user_key from good.core.dim_user "
        "where role = 'student' and source_id = $1 and $2 in (user_id, user_key)",
        [source, id_value],
    ).fetchone()
    return found[0] if found else None


def _student_named(connection: duckdb.DuckDBPyConnection, roster: str, student: str) -> str:
    student_key = _student_of_roster(connection, roster, student)
    if student_key is None:
        raise UsageError(f"The roster of {roster} has no student with that id.")
    return student_key


def _student_of_source(
    connection: duckdb.DuckDBPyConnection, source: str, id_value: str
) -> tuple[str, str]:
    """Return the student of a source who has an id, and the source of the roster.

    Those of files that are held are known, too.
    """
    there = connection.execute(
        "select schema_name from duckdb_tables() where database_name = 'good' "
        "and schema_name in ('core', $1) and table_name = 'dim_student_id' order by all",
        [schema_of(source)],
    ).fetchall()
    in_good = "".join(
        f"select source_student_key, roster_source_id from good.{schema}.dim_student_id "
        "where source_id = $1 and $2 in (id_value, source_student_key) union "
        for (schema,) in there
    )
    known = connection.execute(
        in_good + "select source_student_key, roster_source_id from landing.unlinked_students "
        "inner join landing.files using (file_id) where source_id = $1 and "
        "(source_student_key = $2 or ends_with(source_student_key, ':' || $2)) order by all",
        [source, id_value],
    ).fetchall()
    if not known:
        raise UsageError(f"{source} has no student with that id; see `rollcall identities`.")
    if len(known) > 1:
        named = ", ".join(key for key, _ in known)
        raise UsageError(f"Several students of {source} have that id; name one of: {named}.")
    source_student_key, roster = known[0]
    return source_student_key, roster


def _need_ids(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise where no source has students with ids of their own."""
    found = connection.execute(
        "select 1 from duckdb_tables() where schema_name = 'core' and table_name = 'dim_student_id'"
    ).fetchall()
    if not found:
        raise UsageError("No source of the last good cycle has students with ids of its own.")

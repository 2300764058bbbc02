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
from rollcall.ledger.sql import rows

_IDS = "core.dim_student_id"
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
    """A student of a source whose results wait, and whom an id or a name finds, if anybody."""

    source_id: str
    source_student_key: str
    outcome: str
    found_student_key: str | None
    waiting_count: int


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
            f"select source_id, outcome, count(distinct source_student_key) from {_IDS} "
            "where coalesce(source_id = $1, true) group by all order by all",
            [source],
        ).fetchall()
        waiting = rows(
            connection,
            "select source_id, source_student_key, outcome, found_student_key, waiting_count "
            f"from {_WORKLIST} where coalesce(source_id = $1, true) "
            "order by waiting_count desc, source_student_key",
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
    with home.published() as connection:
        _need_ids(connection)
        known = connection.execute(
            f"select distinct source_student_key, roster_source_id from {_IDS} "
            "where source_id = $1 and $2 in (id_value, source_student_key) order by all",
            [source, id_value],
        ).fetchall()
        if not known:
            raise UsageError(f"{source} has no student with that id; see `rollcall identities`.")
        if len(known) > 1:
            named = ", ".join(key for key, _ in known)
            raise UsageError(f"Several students of {source} have that id; name one of: {named}.")
        [(source_student_key, roster)] = known
        student_key = None
        if student is not None:
            found = connection.execute(
                "select user_key from core.dim_user where role = 'student' "
                "and source_id = $1 and $2 in (user_id, user_key)",
                [roster, student],
            ).fetchone()
            if found is None:
                raise UsageError(f"The roster of {roster} has no student with that id.")
            student_key = found[0]
    with home.landing() as connection:
        ledger.prepare(connection, contracts)
        with ledger.transaction(connection):
            ledger.link(
                connection,
                job_id=ledger.next_job(connection),
                source_student_key=source_student_key,
                student_key=student_key,
                reason=reason.strip(),
                decided_by=who(),
                at=at,
            )
    effect = (
        "The next cycle counts the results of all files so far for the student."
        if student_key
        else "The next cycle counts its results for nobody."
    )
    decision = "link" if student_key else "unlink"
    return LinkReport(source_student_key, student_key, decision, effect)


def _need_ids(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise where no source has students with ids of their own."""
    found = connection.execute(
        "select 1 from duckdb_tables() where schema_name = 'core' and table_name = 'dim_student_id'"
    ).fetchall()
    if not found:
        raise UsageError("No source of the last good cycle has students with ids of its own.")

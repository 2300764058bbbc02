"""What a run of `rollcall cycle` reports: the newest cycle, whichever run landed and built it.

All of it is read from the ledger and the last good warehouse, so a run that was killed at any
moment and run again reports what an undisturbed one would have reported.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb

from rollcall.contracts.project import Contracts
from rollcall.cycle.warehouse import Failure
from rollcall.errors import ExitCode
from rollcall.home import Home
from rollcall.landing.job import LandReport
from rollcall.landing.reported import report_landing
from rollcall.ledger import schedule
from rollcall.ledger.entries import FAILED_PILOTS, cutoff_ahead, held_files, open_questions
from rollcall.ledger.sql import rows
from rollcall.report import RenderedReport

_BALANCES = """
    select
        source_id, delivery_name, count(*) as files,
        sum(record_count)::bigint as records, sum(structural_count)::bigint as structural,
        sum(malformed_count)::bigint as malformed,
        sum(rejected_count)::bigint as rejected, sum(duplicate_count)::bigint as duplicates,
        sum(accepted_count)::bigint as accepted
    from good.audit.audit_ingestion_log as files
    inner join good.staging.stg_landing__cycles as cycles on cycle_id = ?
    where
        first_cycle_id = cycle_id
        or (
            first_cycle_id is null and accepted_count = 0
            and files.job_id > previous_job_id and files.job_id <= cycles.job_id
        )
    group by source_id, delivery_name, exported_at
    order by exported_at, source_id, delivery_name
"""
_REJECTED = """
    select
        source_id, file_name, verdict, code, column_name,
        count(*) as record_count, min(line_number) as first_line, min(message) as message
    from good.audit.audit_rejected_record where cycle_id = ?
    group by all order by record_count desc, source_id, file_name, code, column_name
"""
_OLDER_DATES = """
    select concat_ws('/', source_id, delivery_name, file_name) || ': ' || violations.detail
    from good.audit.audit_violation as violations
    inner join good.audit.audit_ingestion_log using (file_id)
    where violations.cycle_id = ? and violations.code = 'OLDER_DATE' order by all
"""
_TESTS = """
    select split_part(detail, ': ', 1) as name, list(detail order by finding_number) as details
    from landing.findings where cycle_id = ? and code = ?
    group by name order by min(finding_number)
"""


@dataclass(frozen=True, slots=True)
class Cycle:
    """One cycle of the ledger."""

    cycle_id: int
    cutoff_at: datetime


@dataclass(slots=True)
class CycleReport:
    """What one `rollcall cycle` did, and what it reports of the newest cycle.

    `changed` names the files of code and seeds that are other than in the last good cycle before;
    `completed` are the cycles that this run published, `reported` those that it reports;
    `failures` kept the cycle `failed`, whose new files are `failed_files`, from being published;
    `overruled` are tests that failed and did not count; `warnings` are tests of what a vendor can
    break; `failed_pilots` says of each pilot that could not be built what failed; `waiting` are
    files of earlier nights of which nobody has decided what is held of them;
    `after_cutoff` are deliveries that were exported by now and after the cut-off, so that a
    later cycle takes them; `cutoff_ahead` is the newest cut-off where it lies far ahead of now.
    Readers have a warehouse where `has_last_good`.
    """

    landed: LandReport
    changed: list[str] = field(default_factory=list)
    completed: list[Cycle] = field(default_factory=list)
    reported: list[Cycle] = field(default_factory=list)
    failed: Cycle | None = None
    failures: tuple[Failure, ...] = ()
    failed_files: list[dict[str, Any]] = field(default_factory=list)
    overruled: tuple[Failure, ...] = ()
    warnings: tuple[Failure, ...] = ()
    balances: list[dict[str, Any]] = field(default_factory=list)
    rejected_records: list[dict[str, Any]] = field(default_factory=list)
    waiting: list[dict[str, Any]] = field(default_factory=list)
    failed_pilots: dict[str, list[str]] = field(default_factory=dict)
    missing: list[schedule.ExpectedExport] = field(default_factory=list)
    is_anything_missed: bool = False
    after_cutoff: list[dict[str, Any]] = field(default_factory=list)
    cutoff_ahead: datetime | None = None
    has_last_good: bool = False
    report: RenderedReport | None = None
    report_failure: str | None = None

    @property
    def exit_code(self) -> ExitCode:
        """The code a scheduler sees."""
        if self.failed:
            return ExitCode.NOT_PUBLISHED
        needs_attention = (
            self.landed.needs_attention
            or self.waiting
            or self.is_anything_missed
            or self.overruled
            or self.failed_pilots
            or self.cutoff_ahead
            or self.report_failure
        )
        return ExitCode.ATTENTION if needs_attention else ExitCode.DONE


def report_newest(
    home: Home,
    connection: duckdb.DuckDBPyConnection,
    contracts: Contracts,
    report: CycleReport,
    now: datetime,
) -> None:
    """Complete a report by the newest cycles: what landed since those before, and came of it.

    The newest cycles are those that one job opened; what has landed since belongs to them.

    Args:
        home: the data directory.
        connection: the ledger.
        contracts: the sources.
        report: what this run did; it is completed.
        now: the present, UTC.
    """
    report.cutoff_ahead = cutoff_ahead(connection, now)
    report.has_last_good = home.warehouse_db.exists()
    [(since,)] = connection.execute(
        "select coalesce(max(job_id), 0) from landing.cycles where status = 'completed' "
        "and job_id < (select max(job_id) from landing.cycles where status <> 'skipped')"
    ).fetchall()
    landed = report.landed
    report_landing(connection, contracts, landed, since)
    landed.questions = open_questions(connection, contracts)
    judged = {file.file_id for file in landed.files}
    waiting = held_files(connection, contracts, now)
    report.waiting = [file for file in waiting if file["file_id"] not in judged]
    report.reported = [
        Cycle(*row)
        for row in connection.execute(
            "select cycle_id, cutoff_at from landing.cycles "
            "where status = 'completed' and job_id > ? order by cycle_id",
            [since],
        ).fetchall()
    ]
    if not report.reported or not home.warehouse_db.exists():
        return
    home.attach_last_good(connection)
    for cycle in report.reported:
        of_cycle = [cycle.cycle_id]
        report.balances += rows(connection, _BALANCES, of_cycle)
        report.rejected_records += rows(connection, _REJECTED, of_cycle)
        older = connection.execute(_OLDER_DATES, of_cycle).fetchall()
        landed.findings += [sentence for (sentence,) in older]
        report.overruled += _overruled(connection, cycle)
        report.warnings += _warnings(connection, cycle)
        report.failed_pilots |= _failed_pilots(connection, cycle)


def _failed_pilots(connection: duckdb.DuckDBPyConnection, cycle: Cycle) -> dict[str, list[str]]:
    """Return pilot to what failed, of those that a cycle could not build."""
    failed = connection.execute(FAILED_PILOTS, [str(cycle.cycle_id)]).fetchall()
    found = connection.execute(
        "select detail from landing.findings where cycle_id = ? and code = 'PILOT_NOT_BUILT' "
        "order by finding_number",
        [cycle.cycle_id],
    ).fetchall()
    return {
        name: [detail.partition(": ")[2] for (detail,) in found if detail.startswith(f"{name}: ")]
        for (name,) in failed
    }


def _overruled(connection: duckdb.DuckDBPyConnection, cycle: Cycle) -> tuple[Failure, ...]:
    """Return the tests that failed when a cycle was published all the same."""
    [(names,)] = connection.execute(
        "select max_by(detail, event_number) from landing.events "
        "where kind = 'cycle_completed' and subject = ?",
        [str(cycle.cycle_id)],
    ).fetchall()
    return tuple(
        failure
        for failure in _tests(connection, cycle, "TEST_FAILED")
        if failure.name in names.split()
    )


def _warnings(connection: duckdb.DuckDBPyConnection, cycle: Cycle) -> tuple[Failure, ...]:
    """Return the tests that warned; one whose kept rows are gone warned in an earlier try."""
    return tuple(
        failure
        for failure in _tests(connection, cycle, "TEST_WARNED")
        if not failure.stored_in
        or connection.execute(f"select 1 from good.{failure.stored_in} limit 1").fetchall()
    )


def _tests(connection: duckdb.DuckDBPyConnection, cycle: Cycle, code: str) -> list[Failure]:
    found = []
    for name, details in connection.execute(_TESTS, [cycle.cycle_id, code]).fetchall():
        sentences = tuple(detail.removeprefix(f"{name}: ") for detail in details)
        stored = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where database_name = 'good' and schema_name = 'test_failures' and table_name = ?",
            [name],
        ).fetchone()
        stored_in = stored[0] if stored else ""
        found.append(Failure(name, "test", " ".join(sentences[:3]), sentences, stored_in))
    return found

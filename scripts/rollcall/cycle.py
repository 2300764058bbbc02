"""A cycle: land, freeze the files, build, test, publish.

A cycle is numbered and has a cut-off. It sees the accepted files whose export boundary is not
after its cut-off and that no earlier cycle saw. A cycle that did not complete is run again with
its own files before a new one is opened.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import duckdb

from rollcall import ledger, warehouse
from rollcall.archive import keep
from rollcall.clock import iso
from rollcall.clock import now as clock_now
from rollcall.errors import ExitCode, UsageError
from rollcall.home import PROJECT_DIR, Home
from rollcall.landing import LandReport, land
from rollcall.layouts import Contracts


class Progress(Protocol):
    """Who is told how far a cycle is."""

    def say(self, line: str) -> None:
        """Take one line about what happens now."""

    def nodes(self, done: int, total: int, name: str) -> None:
        """Take how many dbt nodes are done."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """One cycle of the ledger."""

    cycle_id: int
    cutoff_at: datetime


@dataclass(slots=True)
class CycleReport:
    """What one `rollcall cycle` did."""

    landed: LandReport
    completed: list[Cycle] = field(default_factory=list)
    failed: Cycle | None = None
    failures: tuple[warehouse.Failure, ...] = ()
    balances: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[dict[str, Any]] = field(default_factory=list)

    @property
    def exit_code(self) -> ExitCode:
        """The code a scheduler sees."""
        if self.failed:
            return ExitCode.NOT_PUBLISHED
        return ExitCode.ATTENTION if self.landed.needs_attention else ExitCode.DONE


def run_cycle(
    home: Home,
    inbox: Path,
    contracts: Contracts,
    progress: Progress,
    now: datetime,
    cutoff: datetime | None = None,
) -> CycleReport:
    """Land what is in the inbox, then bring the warehouse up to the cut-off.

    Args:
        home: the district's home.
        inbox: folder with one folder per source.
        contracts: sources, feeds and layouts.
        progress: told what happens.
        now: the present, UTC; also the cut-off when none is given.
        cutoff: exports up to this moment are seen, UTC.

    Raises:
        UsageError: the cut-off lies before an earlier one, or inbox or home cannot be used.
        BusyError: another process writes in this home.
    """
    home.prepare()
    with home.lock() as lock:
        report = CycleReport(land(home, inbox, contracts, now, say=progress.say))
        while report.failed is None:
            with home.landing(say=progress.say) as connection:
                cycle, full_refresh = _next_cycle(
                    connection, home, report.landed.job_id, now, cutoff
                )
            if cycle is None:
                break
            progress.say(f"Cycle {cycle.cycle_id}, cut-off {iso(cycle.cutoff_at)}")
            _run(home, lock, cycle, full_refresh, report, progress)
    return report


def _next_cycle(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    job_id: int,
    now: datetime,
    cutoff: datetime | None,
) -> tuple[Cycle | None, bool]:
    """Return the cycle to run now - one that did not complete, else a new one, else none."""
    code = warehouse.code_version()
    built_by = connection.execute(
        "select code_version from landing.cycles where status = 'completed' "
        "order by cycle_id desc limit 1"
    ).fetchone()
    full_refresh = built_by is not None and built_by[0] != code
    last = connection.execute(
        "select cycle_id, cutoff_at, status from landing.cycles order by cycle_id desc limit 1"
    ).fetchone()
    if last and last[2] != "completed":
        with ledger.transaction(connection):
            connection.execute(
                "update landing.cycles set status = 'open', code_version = ? where cycle_id = ?",
                [code, last[0]],
            )
            ledger.note(
                connection, job_id=job_id, at=now, kind="cycle_resumed", subject=str(last[0])
            )
        return Cycle(last[0], last[1]), full_refresh
    cutoff_at = _cutoff(now, cutoff, last[1] if last else None)
    files = connection.execute(
        "select file_id from landing.files where verdict = 'accepted' and exported_at <= ? "
        "and file_id not in (select file_id from landing.cycle_files) order by file_id",
        [cutoff_at],
    ).fetchall()
    if not files:
        return None, False
    if last and cutoff_at <= last[1]:
        raise UsageError(
            f"Cycle {last[0]} already had the cut-off {iso(last[1])}; "
            "new files can only be seen by a cycle with a later one."
        )
    cycle = Cycle(last[0] + 1 if last else 1, cutoff_at)
    with ledger.transaction(connection):
        _open(connection, home, cycle, code, job_id, now)
        connection.executemany(
            "insert into landing.cycle_files values (?, ?)",
            [(cycle.cycle_id, file_id) for (file_id,) in files],
        )
        ledger.note(
            connection,
            job_id=job_id,
            at=now,
            kind="cycle_opened",
            subject=str(cycle.cycle_id),
            detail=f"{iso(cycle.cutoff_at)} files={','.join(file_id for (file_id,) in files)}",
        )
    return cycle, full_refresh


def _cutoff(now: datetime, given: datetime | None, last: datetime | None) -> datetime:
    """Return the cut-off; by default the present, always a second after the one before."""
    if given is None:
        return max(now, last + timedelta(seconds=1)) if last else now
    if last and given < last:
        raise UsageError(
            f"The cut-off {iso(given)} lies before that of the last cycle, {iso(last)}; "
            "cycles only go forward."
        )
    return given


def _open(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    cycle: Cycle,
    code: str,
    job_id: int,
    now: datetime,
) -> None:
    listing = "".join(
        f"{keep(home.archive, path).sha256} {path.relative_to(PROJECT_DIR)}\n"
        for path in warehouse.seed_files()
    )
    manifest = home.spool / "seeds"
    manifest.write_text(listing, encoding="utf-8")
    ledger.add(
        connection,
        "cycles",
        {
            "cycle_id": cycle.cycle_id,
            "job_id": job_id,
            "cutoff_at": cycle.cutoff_at,
            "status": "open",
            "code_version": code,
            "seeds_sha256": keep(home.archive, manifest).sha256,
            "opened_at": now,
        },
    )


def _run(
    home: Home,
    lock: int,
    cycle: Cycle,
    full_refresh: bool,
    report: CycleReport,
    progress: Progress,
) -> None:
    warehouse.start_from_last_good(home)
    try:
        built = warehouse.build(home, lock, full_refresh=full_refresh, progress=progress.nodes)
    except BaseException:
        warehouse.discard(home)
        raise
    if built.failures:
        warehouse.discard(home)
        report.failed, report.failures = cycle, built.failures
        status = "failed"
    else:
        _read_outcome(home, cycle, report)
        warehouse.publish(home)
        report.completed.append(cycle)
        status = "completed"
    with home.landing(say=progress.say) as connection, ledger.transaction(connection):
        connection.execute(
            "update landing.cycles set status = ?, closed_at = ? where cycle_id = ?",
            [status, clock_now(), cycle.cycle_id],
        )
        ledger.note(
            connection,
            job_id=report.landed.job_id,
            at=clock_now(),
            kind=f"cycle_{status}",
            subject=str(cycle.cycle_id),
            detail=" ".join(failure.name for failure in built.failures),
        )


def _read_outcome(home: Home, cycle: Cycle, report: CycleReport) -> None:
    """Read what the cycle's files came to, from the warehouse just built."""
    with duckdb.connect(str(home.building_db), read_only=True) as connection:
        report.balances.extend(
            ledger.rows(
                connection,
                "select source_id, delivery_name, count(*) as files, "
                "sum(record_count)::bigint as records, sum(malformed_count)::bigint as malformed, "
                "sum(rejected_count)::bigint as rejected, "
                "sum(duplicate_count)::bigint as repeats, "
                "sum(accepted_count)::bigint as accepted "
                "from audit.audit_ingestion_log where first_cycle_id = ? "
                "group by source_id, delivery_name, exported_at "
                "order by exported_at, source_id, delivery_name",
                [cycle.cycle_id],
            )
        )
        report.refusals.extend(
            ledger.rows(
                connection,
                "select source_id, file_name, verdict, code, column_name, "
                "count(*) as record_count, min(line_number) as first_line, "
                "any_value(message) as message "
                "from audit.audit_rejected_record where cycle_id = ? "
                "group by all order by record_count desc, source_id, file_name, code, column_name",
                [cycle.cycle_id],
            )
        )

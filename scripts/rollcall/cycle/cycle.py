"""A cycle: land, freeze the files, build, test, publish.

A cycle is numbered and has a cut-off. It sees the usable files whose export boundary is not after
its cut-off and that no earlier cycle saw, and the decisions that none has acted on. A cycle that
did not complete is run again before a new one is opened: with its own files, unless somebody has
decided something since; then it is frozen again, with the same number and cut-off.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import duckdb

from rollcall.clock import iso
from rollcall.clock import now as clock_now
from rollcall.contracts.project import Contracts
from rollcall.cycle import warehouse
from rollcall.cycle.built_from import changed_since, keep_code, keep_seeds
from rollcall.cycle.judgement import judge_new_files, keep_out, note_down
from rollcall.errors import ExitCode, UsageError, is_out_of_room
from rollcall.home import Home
from rollcall.landing.inbox import land
from rollcall.landing.job import Context, LandReport
from rollcall.landing.verdicts import Effect
from rollcall.ledger import ledger, schedule
from rollcall.ledger.entries import (
    IN_FUTURE,
    OF_A_CYCLE,
    UNFINISHED,
    USABLE_FILES,
    frozen_files,
)
from rollcall.ledger.sql import rows
from rollcall.report import RenderedReport, render_report

_Found = tuple[str | None, str, str]
"""What a cycle found: of which file, if of one, the code and a sentence."""


class Progress(Protocol):
    """Receives how far a cycle is."""

    def say(self, line: str) -> None:
        """Take one line about what happens now."""

    def nodes(self, done: int, total: int, name: str) -> None:
        """Take how many dbt nodes are done."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """One cycle of the ledger."""

    cycle_id: int
    cutoff_at: datetime


@dataclass(frozen=True, slots=True)
class FailedCycle:
    """What somebody decided about a cycle that failed: to publish it all the same, or to skip it.

    A cycle that is skipped leaves its files and decisions to the next one.
    """

    decision: Literal["publish", "skip"]
    reason: str
    decided_by: str


@dataclass(slots=True)
class CycleReport:
    """What one `rollcall cycle` did.

    `changed` names the files of code and seeds that are other than in the last good cycle before;
    `failures` kept the cycle `failed`, whose new files are `failed_files`, from being published;
    `overruled` are tests that failed and
    did not count; `warnings` are tests of what a vendor can break; `after_cutoff` are deliveries
    that were exported by now and after the cut-off, so that a later cycle takes them.
    """

    landed: LandReport
    changed: list[str] = field(default_factory=list)
    completed: list[Cycle] = field(default_factory=list)
    failed: Cycle | None = None
    failures: tuple[warehouse.Failure, ...] = ()
    overruled: tuple[warehouse.Failure, ...] = ()
    warnings: tuple[warehouse.Failure, ...] = ()
    failed_files: list[dict[str, Any]] = field(default_factory=list)
    balances: list[dict[str, Any]] = field(default_factory=list)
    rejected_records: list[dict[str, Any]] = field(default_factory=list)
    missing: list[schedule.ExpectedExport] = field(default_factory=list)
    is_anything_missed: bool = False
    after_cutoff: list[dict[str, Any]] = field(default_factory=list)
    report: RenderedReport | None = None
    report_failure: str | None = None

    @property
    def exit_code(self) -> ExitCode:
        """The code a scheduler sees."""
        if self.failed:
            return ExitCode.NOT_PUBLISHED
        needs_attention = (
            self.landed.needs_attention
            or self.is_anything_missed
            or self.overruled
            or self.report_failure
        )
        return ExitCode.ATTENTION if needs_attention else ExitCode.DONE


def run_cycle(
    home: Home,
    inbox: Path,
    contracts: Contracts,
    progress: Progress,
    now: datetime,
    cutoff: datetime | None = None,
    failed: FailedCycle | None = None,
    *,
    rebuild: bool = False,
    with_report: bool = True,
) -> CycleReport:
    """Land what is in the inbox, then bring the warehouse up to the cut-off.

    Args:
        home: the data directory.
        inbox: folder with one folder per source.
        contracts: sources, feeds and layouts.
        progress: receives what happens.
        now: the present, UTC; also the cut-off when none is given.
        cutoff: exports up to this moment are seen, UTC.
        failed: what to do about the cycle that failed; it is tried again by default.
        rebuild: run a cycle even though nothing is new, and build every table whole.
        with_report: render the report of what was published.

    Raises:
        UsageError: the cut-off lies before an earlier one, inbox or data directory cannot be
            used, or there is no cycle about which something could be decided.
        BusyError: another process writes in this data directory.
    """
    home.prepare()
    with home.lock():
        if failed:
            _check_decision(home, failed)
        report = CycleReport(land(home, inbox, contracts, now, say=progress.say))
        while report.failed is None:
            with home.landing() as connection:
                opening = _Opening(connection, home, contracts, report.landed.job_id, now)
                if _complete_what_is_published(opening) and failed:
                    raise UsageError(_NONE_FAILED.format(failed.decision))
                if failed and failed.decision == "skip":
                    _skip(opening, failed)
                    failed = None
                changed = changed_since(connection, home)
                cycle = _resume(opening) or _open(opening, cutoff, changed, rebuild=rebuild)
                if cycle is None:
                    _report_missing(opening, cutoff or now, report)
                    break
                report.changed += changed
                change = what_changed(connection, cycle.cycle_id)
                if rebuild:
                    change = warehouse.Change(is_code_new=True, must_rebuild=True)
                if failed:
                    opening.note("cycle_publish_anyway", cycle, _said_by(failed))
            progress.say(f"Cycle {cycle.cycle_id}, cut-off {iso(cycle.cutoff_at)}")
            builder = warehouse.Builder(home, contracts.families, change, progress=progress.nodes)
            if failed:
                build = partial(_build_anyway, builder)
            else:
                build = partial(_judge_and_build, builder, opening, cycle, report)
            _run(opening, cycle, builder, build, report)
            failed, rebuild = None, False
        if with_report and home.warehouse_db.exists():
            progress.say("Report")
            _render_report(home, contracts, report)
    return report


def _render_report(home: Home, contracts: Contracts, report: CycleReport) -> None:
    """Render the report; should that fail, the cycle stands and the failure is reported."""
    try:
        report.report = render_report(home, contracts)
    except Exception as error:  # whatever it is, what was published stays published
        home.log_failure()
        reason = "no room is left" if is_out_of_room(error) else type(error).__name__
        report.report_failure = (
            f"The report could not be rendered ({reason}); the warehouse is not "
            f"touched by that. The details are in {home.failure_log}; "
            "`rollcall report` tries again."
        )


@dataclass(frozen=True, slots=True)
class _Opening:
    """What it takes to open a cycle."""

    connection: duckdb.DuckDBPyConnection
    home: Home
    contracts: Contracts
    job_id: int
    now: datetime

    def note(self, kind: str, cycle: Cycle, detail: str = "") -> None:
        """Append an event about the cycle."""
        ledger.note(
            self.connection,
            job_id=self.job_id,
            at=self.now,
            kind=kind,
            subject=str(cycle.cycle_id),
            detail=detail,
        )


def _complete_what_is_published(opening: _Opening) -> bool:
    """Complete a cycle whose warehouse is in place, if there is one; says whether there was.

    The run that published it was killed before it could record that.
    """
    unfinished = opening.connection.execute(
        f"select cycle_id, cutoff_at from landing.cycles where {UNFINISHED}"
    ).fetchone()
    if unfinished is None or not opening.home.warehouse_db.exists():
        return False
    with opening.home.published() as connection:
        [(published,)] = connection.execute(
            "select max(cycle_id) from staging.stg_landing__cycles"
        ).fetchall()
    if published != unfinished[0]:
        return False
    with ledger.transaction(opening.connection):
        _close(opening, Cycle(*unfinished), "completed")
    return True


def _close(opening: _Opening, cycle: Cycle, status: str, detail: str = "") -> None:
    """Record how a cycle has ended."""
    at = clock_now()
    opening.connection.execute(
        "update landing.cycles set status = ?, closed_at = ? where cycle_id = ?",
        [status, at, cycle.cycle_id],
    )
    replace(opening, now=at).note(f"cycle_{status}", cycle, detail)


def _resume(opening: _Opening) -> Cycle | None:
    """Return the cycle that did not complete, if there is one.

    It keeps its files, unless a decision has been taken since; then it is frozen again. Code and
    seeds are those of today.
    """
    last = opening.connection.execute(
        f"select cycle_id, cutoff_at from landing.cycles where {UNFINISHED}"
    ).fetchone()
    if last is None:
        return None
    cycle = Cycle(*last)
    with ledger.transaction(opening.connection):
        opening.connection.execute(
            "update landing.cycles set status = 'open', job_id = ?, code_version = ?, "
            "seeds_sha256 = ? where cycle_id = ?",
            [opening.job_id, keep_code(opening.home), keep_seeds(opening.home), cycle.cycle_id],
        )
        detail = ""
        if _ids(opening.connection, _NEW_DECISIONS):
            _thaw(opening, cycle)
            detail = _freeze(opening, cycle, _what_is_new(opening, cycle.cutoff_at))
        opening.note("cycle_resumed", cycle, detail)
    return cycle


@dataclass(frozen=True, slots=True)
class _News:
    """What no cycle has seen by a cut-off; `missing` is all that is missing, new or not."""

    files: list[str]
    decisions: list[int]
    due: list[schedule.ExpectedExport]
    missing: list[schedule.ExpectedExport]


_NEW_DECISIONS = """
    select decision_id from landing.decisions
    where decision_id not in (select decision_id from landing.cycle_decisions) order by decision_id
"""


def _what_is_new(opening: _Opening, cutoff_at: datetime) -> _News:
    connection = opening.connection
    files = _ids(
        connection,
        f"select file_id from ({USABLE_FILES}) where exported_at <= ? "
        "and file_id not in (select file_id from landing.cycle_files) order by file_id",
        [cutoff_at],
    )
    return _News(
        files,
        _ids(connection, _NEW_DECISIONS),
        schedule.newly_due(connection, opening.contracts, cutoff_at, _last_seen(connection)),
        schedule.missing(connection, opening.contracts, cutoff_at),
    )


def _last_seen(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    """Return the cut-off of the last good cycle."""
    [cutoff_at] = _ids(
        connection, "select max(cutoff_at) from landing.cycles where status = 'completed'"
    )
    return cast(datetime | None, cutoff_at)


def _open(
    opening: _Opening, cutoff: datetime | None, changed: Sequence[str], *, rebuild: bool
) -> Cycle | None:
    """Open the next cycle when there is a reason.

    That is a file, a decision, an export newly missed, code or seeds that changed, or a wish.
    """
    connection = opening.connection
    last = connection.execute(
        "select cycle_id, cutoff_at from landing.cycles order by cycle_id desc limit 1"
    ).fetchone()
    last_cutoff = last[1] if last else None
    cutoff_at = _cutoff(opening.now, cutoff, last_cutoff)
    news = _what_is_new(opening, cutoff_at)
    newly_missed = _last_seen(connection) and any(export in news.due for export in news.missing)
    if not (news.files or news.decisions or newly_missed or changed or rebuild):
        return None
    if last_cutoff and cutoff_at <= last_cutoff:
        raise UsageError(
            f"The last cycle already had the cut-off {iso(last_cutoff)}; "
            "what is new can only be seen by a cycle with a later one."
        )
    cycle = Cycle(last[0] + 1 if last else 1, cutoff_at)
    with ledger.transaction(connection):
        _add_cycle(opening, cycle)
        opening.note("cycle_opened", cycle, _freeze(opening, cycle, news))
    return cycle


def _freeze(opening: _Opening, cycle: Cycle, news: _News) -> str:
    """Record what a cycle sees; returns it in a few words."""
    connection = opening.connection
    for table, ids in (("cycle_files", news.files), ("cycle_decisions", news.decisions)):
        for identifier in ids:
            connection.execute(
                f"insert into landing.{table} values (?, ?)", [cycle.cycle_id, identifier]
            )
    for export in news.due:
        row = {"cycle_id": cycle.cycle_id, **asdict(export)}
        ledger.put(connection, "expected_exports", row, may_be_there=True)
    _find_missing(opening, cycle, news.missing)
    return f"{iso(cycle.cutoff_at)} files={len(news.files)} decisions={len(news.decisions)}"


def _thaw(opening: _Opening, cycle: Cycle) -> None:
    """Have a cycle see nothing: what it saw is new again."""
    for table in OF_A_CYCLE:
        opening.connection.execute(
            f"delete from landing.{table} where cycle_id = ?", [cycle.cycle_id]
        )


def _find_missing(
    opening: _Opening, cycle: Cycle, missing: Sequence[schedule.ExpectedExport]
) -> None:
    """Append what is missing at a cycle's cut-off; what is known already stays the only one."""
    for export in missing:
        ledger.add_finding(
            opening.connection,
            job_id=opening.job_id,
            cycle_id=cycle.cycle_id,
            file_id=None,
            code="FEED_MISSING",
            detail=f"{export.source_id}: {export.feed} of {iso(export.expected_at)} was due by "
            f"{iso(export.due_at)} and no file that can be used has come.",
            at=opening.now,
        )
    if missing:
        ledger.note(
            opening.connection,
            job_id=opening.job_id,
            at=opening.now,
            kind="job_found",
            subject=str(opening.job_id),
            detail=f"missing={len(missing)}",
        )


def _skip(opening: _Opening, failed: FailedCycle) -> None:
    """Leave a cycle that did not complete behind: its files and decisions are new to the next."""
    connection = opening.connection
    cycle = Cycle(
        *connection.execute(
            f"select cycle_id, cutoff_at from landing.cycles where {UNFINISHED}"
        ).fetchall()[0]
    )
    with ledger.transaction(connection):
        _thaw(opening, cycle)
        connection.execute(
            "update landing.cycles set status = 'skipped', closed_at = ? where cycle_id = ?",
            [opening.now, cycle.cycle_id],
        )
        opening.note("cycle_skipped", cycle, _said_by(failed))


_NONE_FAILED = "No cycle has failed, so there is none to {}."


def _said_by(failed: FailedCycle) -> str:
    return f"{failed.decided_by}: {failed.reason}"


def _check_decision(home: Home, failed: FailedCycle) -> None:
    """Raise when there is no cycle to decide about: one to publish must have failed."""
    which = UNFINISHED if failed.decision == "skip" else "status = 'failed'"
    if home.landing_db.exists():
        with home.landing(read_only=True) as connection:
            if _ids(connection, f"select cycle_id from landing.cycles where {which}"):
                return
    raise UsageError(_NONE_FAILED.format(failed.decision))


def _ids(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[Any] | None = None
) -> list[Any]:
    return [row[0] for row in connection.execute(sql, parameters or []).fetchall()]


def what_changed(connection: duckdb.DuckDBPyConnection, cycle_id: int) -> warehouse.Change:
    """Say what a cycle must build besides what came.

    Incremental tables are built whole when other code built the last good cycle, and when a file
    that was in use has been replaced or judged again and no good cycle was built since.
    """
    cycle = _built_from(connection, f"cycle_id = {cycle_id}")
    last_good = _built_from(connection, "status = 'completed'")
    if cycle is None or last_good is None:
        return warehouse.Change(is_code_new=True, must_rebuild=False)
    reused = connection.execute(
        "select 1 from landing.decisions "
        "inner join landing.cycle_files using (file_id) "
        "left join landing.cycle_decisions using (decision_id) "
        "where decision in ('supersede', 'reprocess') and cycle_files.cycle_id < ? "
        "and coalesce(cycle_decisions.cycle_id >= ?, true)",
        [cycle_id, cycle_id],
    ).fetchone()
    must_rebuild = cycle[0] != last_good[0] or reused is not None
    return warehouse.Change(must_rebuild or cycle[1] != last_good[1], must_rebuild)


def _built_from(connection: duckdb.DuckDBPyConnection, condition: str) -> tuple[str, str] | None:
    """Return the hashes of code and seeds of the newest cycle for which a condition holds."""
    return connection.execute(
        f"select code_version, seeds_sha256 from landing.cycles where {condition} "
        "order by cycle_id desc limit 1"
    ).fetchone()


def _report_missing(opening: _Opening, at: datetime, report: CycleReport) -> None:
    """Say which due feeds are missing now; only live sources call for attention.

    What was exported after the cut-off is said too.
    """
    waiting = rows(opening.connection, IN_FUTURE, [at])
    report.after_cutoff = [row for row in waiting if row["exported_at"] <= opening.now]
    report.missing = schedule.missing(opening.connection, opening.contracts, at)
    report.is_anything_missed = any(
        opening.contracts.sources[export.source_id].stage == "live" for export in report.missing
    )


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


def _add_cycle(opening: _Opening, cycle: Cycle) -> None:
    ledger.put(
        opening.connection,
        "cycles",
        {
            "cycle_id": cycle.cycle_id,
            "job_id": opening.job_id,
            "cutoff_at": cycle.cutoff_at,
            "status": "open",
            "code_version": keep_code(opening.home),
            "seeds_sha256": keep_seeds(opening.home),
            "opened_at": opening.now,
        },
    )


def _build_anyway(builder: warehouse.Builder) -> warehouse.Build:
    """Build every table, then run every test; a test that fails is overruled."""
    built = builder.build_all()
    if built.failures:
        return built
    tested = builder.test()
    return replace(built, overruled=tested.failures, warnings=tested.warnings)


def _judge_and_build(
    builder: warehouse.Builder,
    opening: _Opening,
    cycle: Cycle,
    report: CycleReport,
) -> warehouse.Build:
    """Count the records of the new files, keep out what must not be used, and build the rest."""
    home = opening.home
    while True:
        built = builder.count_records()
        if built.failures:
            return built
        judged = judge_new_files(home, opening.contracts, cycle.cycle_id)
        if not judged:
            break
        kept_out = {key: found for key, found in judged.items() if found.effect != Effect.NOTE}
        with home.landing() as connection:
            home.attach(connection, home.building_db, "building")
            with ledger.transaction(connection):
                context = Context(connection, opening.contracts, home, opening.job_id, opening.now)
                if not kept_out:
                    report.landed.findings += note_down(context, cycle.cycle_id, judged)
                    break
                report.landed.replace(keep_out(context, cycle.cycle_id, kept_out))
                missing = schedule.missing(connection, opening.contracts, cycle.cutoff_at)
                _find_missing(replace(opening, connection=connection), cycle, missing)
        builder.start()
    return builder.build_rest()


def _run(
    opening: _Opening,
    cycle: Cycle,
    builder: warehouse.Builder,
    build: Callable[[], warehouse.Build],
    report: CycleReport,
) -> None:
    """Build a cycle and publish it; the ledger says how it ended.

    What it found is recorded before its warehouse takes the place of the last good one.
    """
    home = opening.home

    def close(status: str, detail: str) -> None:
        with home.landing() as connection:
            with ledger.transaction(connection):
                _close(replace(opening, connection=connection), cycle, status, detail)
            report.failed_files = frozen_files(connection)

    try:
        builder.start()
        built = builder.complete(build())
        found = list(_tests_found(built))
        if not built.failures:
            found += _read_outcome(home, cycle, report)
        _append(opening, cycle, found)
        if not built.failures:
            builder.publish()
    except Exception as error:
        with suppress(OSError, duckdb.Error):  # no room to write, for one: the cycle stays open
            close("failed", type(error).__name__)
        raise
    finally:
        warehouse.discard(home.building_db)
    close(
        "failed" if built.failures else "completed",
        " ".join(failure.name for failure in built.failures + built.overruled),
    )
    if built.failures:
        report.failed, report.failures = cycle, built.failures
        return
    report.completed.append(cycle)
    report.overruled += built.overruled
    report.warnings += built.warnings


def _tests_found(built: warehouse.Build) -> Iterator[_Found]:
    """Yield code and sentence of every node that failed or warned, and of every row to correct."""
    failed = built.failures + built.overruled
    for code, nodes in (("TEST_FAILED", failed), ("TEST_WARNED", built.warnings)):
        for node in nodes:
            if node.kind != "test":
                sentence = f"{node.name}: the {node.kind} could not be built. {node.message}"
                yield None, "BUILD_FAILED", sentence
            for sentence in node.sentences or (node.message,) * (node.kind == "test"):
                yield None, code, f"{node.name}: {sentence}"


def _append(opening: _Opening, cycle: Cycle, found: Sequence[_Found]) -> None:
    """Append to the ledger what a cycle found; a second try adds only what is new."""
    if not found:
        return
    at, job_id = clock_now(), opening.job_id
    with opening.home.landing() as connection, ledger.transaction(connection):
        ledger.add_findings(connection, job_id=job_id, found=found, at=at, cycle_id=cycle.cycle_id)
        ledger.note(
            connection,
            job_id=job_id,
            at=at,
            kind="job_found",
            subject=str(job_id),
            detail=f"cycle={cycle.cycle_id} found={len(found)}",
        )


def _read_outcome(home: Home, cycle: Cycle, report: CycleReport) -> list[_Found]:
    """Read what the cycle's files came to, from the warehouse just built; return what it found."""
    with duckdb.connect(str(home.building_db), read_only=True) as connection:
        report.balances.extend(
            rows(
                connection,
                "select source_id, delivery_name, count(*) as files, "
                "sum(record_count)::bigint as records, sum(malformed_count)::bigint as malformed, "
                "sum(rejected_count)::bigint as rejected, "
                "sum(duplicate_count)::bigint as duplicates, "
                "sum(accepted_count)::bigint as accepted "
                "from audit.audit_ingestion_log as files "
                "inner join staging.stg_landing__cycles as cycles on cycle_id = ? "
                "where first_cycle_id = cycle_id or (first_cycle_id is null and accepted_count = 0 "
                "and files.job_id > previous_job_id and files.job_id <= cycles.job_id) "
                "group by source_id, delivery_name, exported_at "
                "order by exported_at, source_id, delivery_name",
                [cycle.cycle_id],
            )
        )
        report.rejected_records.extend(
            rows(
                connection,
                "select source_id, file_name, verdict, code, column_name, "
                "count(*) as record_count, min(line_number) as first_line, "
                "min(message) as message "
                "from audit.audit_rejected_record where cycle_id = ? "
                "group by all order by record_count desc, source_id, file_name, code, column_name",
                [cycle.cycle_id],
            )
        )
        report.landed.findings.extend(
            f"{source_id}/{delivery_name}/{file_name}: {detail}"
            for source_id, delivery_name, file_name, detail in connection.execute(
                "select source_id, delivery_name, file_name, violations.detail "
                "from audit.audit_violation as violations "
                "inner join audit.audit_ingestion_log using (file_id) "
                "where violations.cycle_id = ? and violations.code = 'OLDER_DATE' order by all",
                [cycle.cycle_id],
            ).fetchall()
        )
        return connection.execute(
            "select file_id, code, detail from audit.audit_violation where cycle_id = ? "
            "order by file_id, code, detail",
            [cycle.cycle_id],
        ).fetchall()

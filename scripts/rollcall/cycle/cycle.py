"""A cycle: land, freeze the files, build, test, publish.

A cycle is numbered and has a cut-off. It sees the usable files whose export boundary is not after
its cut-off and that no earlier cycle saw, and the decisions that none has acted on. A cycle that
did not complete is run again before a new one is opened: with its own files, unless somebody has
decided something since; then it is frozen again, with the same number and cut-off.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import duckdb

from rollcall.clock import FAR, iso
from rollcall.clock import now as clock_now
from rollcall.contracts.project import Contracts
from rollcall.cycle import warehouse
from rollcall.cycle.built_from import changed_since, keep_code, keep_seeds
from rollcall.cycle.judgement import judge_linked_files, judge_new_files, keep_out, note_down
from rollcall.cycle.pilots import PilotBuilder, give_up
from rollcall.cycle.reported import Cycle, CycleReport, report_newest
from rollcall.cycle.unlinked_students import has_new_students
from rollcall.databases import damages
from rollcall.errors import RollcallError, UsageError, is_out_of_room, reraise_stop
from rollcall.home import Home
from rollcall.landing.file import add_file
from rollcall.landing.inbox import land
from rollcall.landing.job import Context
from rollcall.landing.verdicts import Effect, Judgement
from rollcall.ledger import ledger, schedule, stages
from rollcall.ledger.entries import (
    IN_FUTURE,
    OF_A_CYCLE,
    PILOT_FAILED,
    UNFINISHED,
    UNLINKED_FILES,
    USABLE_FILES,
    frozen_files,
)
from rollcall.ledger.sql import rows
from rollcall.report import render_report

_Found = tuple[str | None, str, str]
"""What a cycle found: of which file, if of one, the code and a sentence."""


class Progress(Protocol):
    """Receives how far a cycle is."""

    def say(self, line: str) -> None:
        """Take one line about what happens now."""

    def nodes(self, done: int, total: int, name: str) -> None:
        """Take how many dbt nodes are done."""


@dataclass(frozen=True, slots=True)
class FailedCycle:
    """What somebody decided about a cycle that failed: to publish it all the same, or to skip it.

    A cycle that is skipped leaves its files and decisions to the next one. So do the cycles whose
    cut-off lies far ahead, because a clock was: they are taken back by `skip_ahead`.
    """

    decision: Literal["publish", "skip", "skip_ahead"]
    reason: str
    decided_by: str


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
            used, the warehouse is not that of the ledger's last good cycle, or there is no cycle
            about which something could be decided.
        BusyError: another process writes in this data directory.
    """
    home.prepare()
    with home.lock():
        if failed:
            _check_decision(home, failed, now)
        is_made_anew = rebuild and not home.warehouse_db.exists()
        landed = land(
            home, inbox, contracts, now, needs_last_good=not is_made_anew, say=progress.say
        )
        report = CycleReport(landed)
        while report.failed is None:
            with home.landing() as connection:
                opening = _Opening(connection, home, contracts, report.landed.job_id, now)
                _complete_what_is_published(opening)
                if failed and not _decided_about(connection, failed, now):
                    raise UsageError(_none_to_decide(failed))
                if failed and failed.decision != "publish":
                    _skip(opening, failed)
                    failed = None
                changed = changed_since(connection, home)
                cycle = _resume(opening) or _open(opening, cutoff, changed, rebuild=rebuild)
                if cycle is None:
                    _report_missing(opening, cutoff or now, report)
                    report_newest(home, connection, opening.contracts, report, opening.now)
                    break
                report.changed += changed
                change = what_changed(connection, cycle.cycle_id)
                if rebuild:
                    change = warehouse.Change(is_code_new=True, must_rebuild=True)
                if failed:
                    opening.note("cycle_publish_anyway", cycle, _said_by(failed))
                acted = stages.acted_on(connection, contracts)
            progress.say(f"Cycle {cycle.cycle_id}, cut-off {iso(cycle.cutoff_at)}")
            families = acted.live_families(contracts)
            builder = warehouse.Builder(home, families, change, progress=progress.nodes)
            if failed:
                build = partial(_build_anyway, builder)
            else:
                build = partial(_judge_and_build, builder, opening, cycle)
            pilots = partial(_build_pilots, acted.pilots, progress)
            _run(opening, cycle, builder, build, pilots, report)
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
        reraise_stop(error)
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


def _complete_what_is_published(opening: _Opening) -> None:
    """Complete a cycle whose warehouse is in place, if there is one.

    The run that published it was killed before it could record that.
    """
    unfinished = opening.connection.execute(
        f"select cycle_id, cutoff_at from landing.cycles where {UNFINISHED}"
    ).fetchone()
    if unfinished is None or not opening.home.warehouse_db.exists():
        return
    with opening.home.published() as connection:
        [(published,)] = connection.execute(
            "select max(cycle_id) from staging.stg_landing__cycles"
        ).fetchall()
    if published == unfinished[0]:
        with ledger.transaction(opening.connection):
            _close(opening, Cycle(*unfinished), "completed")


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
    seeds are those of today. One that was killed stays that of the job that opened it.
    """
    last = opening.connection.execute(
        f"select cycle_id, cutoff_at, status, job_id from landing.cycles where {UNFINISHED}"
    ).fetchone()
    if last is None:
        return None
    *of_cycle, status, job_id = last
    cycle = Cycle(*of_cycle)
    is_decided = any(_new(opening.connection, *taken) for taken in _DECISIONS)
    if status == "failed" or is_decided:
        job_id = opening.job_id
    with ledger.transaction(opening.connection):
        opening.connection.execute(
            "update landing.cycles set status = 'open', job_id = ?, code_version = ?, "
            "seeds_sha256 = ? where cycle_id = ?",
            [job_id, keep_code(opening.home), keep_seeds(opening.home), cycle.cycle_id],
        )
        detail = ""
        if is_decided:
            _thaw(opening, cycle)
            detail = _freeze(opening, cycle, _what_is_new(opening, cycle.cutoff_at))
        opening.note("cycle_resumed", cycle, detail)
    return cycle


@dataclass(frozen=True, slots=True)
class _News:
    """What no cycle has seen by a cut-off; `missing` is all that is missing, new or not."""

    files: list[str]
    decisions: list[int]
    links: list[int]
    stages: list[int]
    due: list[schedule.ExpectedExport]
    missing: list[schedule.ExpectedExport]


_DECISIONS = (
    ("decisions", "decision_id"),
    ("student_links", "link_id"),
    ("stage_decisions", "stage_decision_id"),
)
"""The tables of what persons decide, on files, students and sources, and the key of each."""


def _new(connection: duckdb.DuckDBPyConnection, table: str, key: str) -> list[int]:
    """Return the decisions that no cycle has acted on."""
    return _ids(
        connection,
        f"select {key} from landing.{table} "
        f"where {key} not in (select {key} from landing.cycle_{table}) "
        f"and decision <> 'declare' order by {key}",
    )


def _new_files(connection: duckdb.DuckDBPyConnection, cutoff_at: datetime) -> list[str]:
    return _ids(
        connection,
        f"select file_id from ({USABLE_FILES}) where exported_at <= ? "
        "and file_id not in (select file_id from landing.cycle_files) order by file_id",
        [cutoff_at],
    )


def _what_is_new(opening: _Opening, cutoff_at: datetime) -> _News:
    connection = opening.connection
    decisions, links, of_sources = (_new(connection, *taken) for taken in _DECISIONS)
    return _News(
        _new_files(connection, cutoff_at),
        decisions,
        links,
        of_sources,
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
    [last] = _ids(connection, "select coalesce(max(cycle_id), 0) from landing.cycles")
    [last_cutoff] = _ids(
        connection, "select max(cutoff_at) from landing.cycles where status <> 'skipped'"
    )
    cutoff_at = _cutoff(opening.now, cutoff, last_cutoff)
    news = _what_is_new(opening, cutoff_at)
    newly_missed = _last_seen(connection) and any(export in news.due for export in news.missing)
    is_decided = news.decisions or news.links or news.stages
    if not (news.files or is_decided or newly_missed or changed or rebuild):
        return None
    if last_cutoff and cutoff_at <= last_cutoff:
        raise UsageError(
            f"The last cycle already had the cut-off {iso(last_cutoff)}; "
            "what is new can only be seen by a cycle with a later one."
        )
    cycle = Cycle(last + 1, cutoff_at)
    with ledger.transaction(connection):
        _try_again(opening)
        news = replace(news, files=_new_files(connection, cutoff_at))
        _add_cycle(opening, cycle)
        opening.note("cycle_opened", cycle, _freeze(opening, cycle, news))
    return cycle


def _try_again(opening: _Opening) -> None:
    """Accept again what was held because its students were nobody's; the cycle judges it anew.

    Links, a roster, limits or columns may have come since.
    """
    context = Context(
        opening.connection, opening.contracts, opening.home, opening.job_id, opening.now
    )
    for file in rows(opening.connection, UNLINKED_FILES):
        for statement in (
            "insert into landing.replaced_files by name from landing.files where file_id = ?",
            "delete from landing.unlinked_students where file_id = ?",
        ):
            opening.connection.execute(statement, [file["file_id"]])
        add_file(
            context,
            file | {"job_id": opening.job_id, "verdict": "accepted", "code": None, "detail": None},
        )


def _freeze(opening: _Opening, cycle: Cycle, news: _News) -> str:
    """Record what a cycle sees; returns it in a few words."""
    connection = opening.connection
    stages.declare(connection, opening.contracts, opening.job_id, opening.now)
    frozen: dict[str, Sequence[str] | Sequence[int]] = {
        "cycle_files": news.files,
        "cycle_decisions": news.decisions,
        "cycle_student_links": news.links,
        "cycle_stage_decisions": news.stages,
    }
    for table, ids in frozen.items():
        for identifier in ids:
            connection.execute(
                f"insert into landing.{table} values (?, ?)", [cycle.cycle_id, identifier]
            )
    for export in news.due:
        row = {"cycle_id": cycle.cycle_id, **asdict(export)}
        ledger.put(connection, "expected_exports", row, may_be_there=True)
    _find_missing(opening, cycle, news.missing)
    decision_count = len(news.decisions) + len(news.links) + len(news.stages)
    return f"{iso(cycle.cutoff_at)} files={len(news.files)} decisions={decision_count}"


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
    """Leave cycles behind of which somebody said so: what they saw is new to the next one."""
    with ledger.transaction(opening.connection):
        for cycle in _decided_about(opening.connection, failed, opening.now):
            _thaw(opening, cycle)
            opening.connection.execute(
                "update landing.cycles set status = 'skipped', closed_at = ? where cycle_id = ?",
                [opening.now, cycle.cycle_id],
            )
            opening.note("cycle_skipped", cycle, _said_by(failed))


def _said_by(failed: FailedCycle) -> str:
    return f"{failed.decided_by}: {failed.reason}"


def _check_decision(home: Home, failed: FailedCycle, now: datetime) -> None:
    """Raise when there is no cycle to decide about."""
    if home.landing_db.exists():
        with home.landing(read_only=True) as connection:
            if _decided_about(connection, failed, now):
                return
    raise UsageError(_none_to_decide(failed))


def _none_to_decide(failed: FailedCycle) -> str:
    if failed.decision == "skip_ahead":
        return "No cut-off lies ahead, so there is none to skip."
    return f"No cycle has failed, so there is none to {failed.decision}."


def _decided_about(
    connection: duckdb.DuckDBPyConnection, failed: FailedCycle, now: datetime
) -> list[Cycle]:
    """Return the cycles that a decision is about: to be published, one must have failed."""
    which = {
        "publish": "status = 'failed'",
        "skip": UNFINISHED,
        "skip_ahead": "status <> 'skipped' and cutoff_at > $1",
    }[failed.decision]
    ahead = [now + FAR] if failed.decision == "skip_ahead" else []
    return [
        Cycle(*row)
        for row in connection.execute(
            f"select cycle_id, cutoff_at from landing.cycles where {which} order by cycle_id",
            ahead,
        ).fetchall()
    ]


def _ids(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[Any] | None = None
) -> list[Any]:
    return [row[0] for row in connection.execute(sql, parameters or []).fetchall()]


def what_changed(connection: duckdb.DuckDBPyConnection, cycle_id: int) -> warehouse.Change:
    """Say what a cycle must build.

    Incremental tables are built whole when other code built the last good cycle, when a file that
    was in use has been replaced or judged again and no good cycle was built since, when cycles
    were taken back that had been published, and when the stage of a source changes.
    """
    cycle = _built_from(connection, f"cycle_id = {cycle_id}")
    last_good = _built_from(connection, "status = 'completed'")
    if cycle is None or last_good is None:
        return warehouse.Change(is_code_new=True, must_rebuild=True)
    reused = connection.execute(
        "select 1 from landing.decisions "
        "inner join landing.cycle_files using (file_id) "
        "left join landing.cycle_decisions using (decision_id) "
        "where decision in ('supersede', 'reprocess') and cycle_files.cycle_id < ? "
        "and coalesce(cycle_decisions.cycle_id >= ?, true)",
        [cycle_id, cycle_id],
    ).fetchone()
    taken_back = connection.execute(
        "select 1 from landing.cycles inner join landing.events "
        "on kind = 'cycle_completed' and subject = cast(cycle_id as varchar) "
        "where status = 'skipped' and cycle_id > "
        "(select max(cycle_id) from landing.cycles where status = 'completed')"
    ).fetchone()
    restaged = connection.execute(
        "select 1 from landing.cycle_stage_decisions where cycle_id >= ?", [cycle_id]
    ).fetchone()
    must_rebuild = cycle[0] != last_good[0] or any(
        found is not None for found in (reused, taken_back, restaged)
    )
    return warehouse.Change(
        must_rebuild or cycle[1] != last_good[1], must_rebuild, _feeds_with_news(connection)
    )


def _feeds_with_news(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Return the feeds of files and decisions that cycles since the last good one have seen."""
    since = "where cycle_id > (select max(cycle_id) from landing.cycles where status = 'completed')"
    return frozenset(
        _ids(
            connection,
            "select distinct feed from landing.files where file_id in ("
            f"select file_id from landing.cycle_files {since} union "
            "select file_id from landing.decisions "
            f"inner join landing.cycle_decisions using (decision_id) {since})",
        )
    )


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
    stage = stages.decided(opening.connection, opening.contracts)
    report.is_anything_missed = any(
        stage[export.source_id] == stages.LIVE for export in report.missing
    )


def _cutoff(now: datetime, given: datetime | None, last: datetime | None) -> datetime:
    """Return the cut-off; by default the present, always a second after the one before."""
    if given and given > now + FAR:
        raise UsageError(f"The cut-off {iso(given)} lies ahead: it is {iso(now)} now.")
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
    builder: warehouse.Builder, opening: _Opening, cycle: Cycle
) -> warehouse.Build:
    """Build what judges the new files, keep out what must not be used, and build the rest.

    A file is judged by its records first: without it, students may be others'.
    """
    while True:
        links_students = builder.can_link_students and _has_new_students(opening.home, cycle)
        built = builder.build_first(with_students=links_students)
        if built.failures:
            return built
        if not _judge(opening, cycle, builder, links_students=links_students):
            return builder.build_rest()
        builder.start()


def _judge(
    opening: _Opening,
    cycle: Cycle,
    builder: warehouse.Builder | PilotBuilder,
    *,
    links_students: bool,
    pilot: str | None = None,
) -> bool:
    """Judge new files by their records, then by whose their students are, where these are linked.

    What must not be used is kept out; says whether anything is.
    """
    of_cycle = (opening.home, opening.contracts, cycle.cycle_id)
    judged = judge_new_files(*of_cycle, is_built_whole=builder.builds_whole, pilot=pilot)
    if _keep_out(opening, cycle, judged, pilot):
        return True
    return links_students and _keep_out(
        opening, cycle, judge_linked_files(*of_cycle, pilot=pilot), pilot
    )


def _has_new_students(home: Home, cycle: Cycle) -> bool:
    with home.landing(read_only=True) as connection:
        return has_new_students(connection, cycle.cycle_id)


def _keep_out(
    opening: _Opening,
    cycle: Cycle,
    judged: Sequence[tuple[str, Judgement]],
    pilot: str | None = None,
) -> bool:
    """Take files out of a cycle by what was found; say whether there are any. The rest is noted."""
    home = opening.home
    kept_out = {key: found for key, found in judged if found.effect != Effect.NOTE}
    if not judged:
        return False
    with home.landing() as connection:
        home.attach(connection, home.building_db, "building")
        with ledger.transaction(connection):
            context = Context(connection, opening.contracts, home, opening.job_id, opening.now)
            if not kept_out:
                note_down(context, cycle.cycle_id, judged)
                return False
            keep_out(context, cycle.cycle_id, kept_out, pilot=pilot)
            missing = schedule.missing(connection, opening.contracts, cycle.cutoff_at)
            _find_missing(replace(opening, connection=connection), cycle, missing)
    return True


def _run(
    opening: _Opening,
    cycle: Cycle,
    builder: warehouse.Builder,
    build: Callable[[], warehouse.Build],
    build_pilots: Callable[[_Opening, Cycle, warehouse.Builder], dict[str, str]],
    report: CycleReport,
) -> None:
    """Build a cycle and its pilots, and publish it; the ledger says how it ended.

    What it found is recorded before its warehouse takes the place of the last good one.
    """
    home = opening.home

    def close(status: str, detail: str) -> None:
        with home.landing() as connection:
            with ledger.transaction(connection):
                _close(replace(opening, connection=connection), cycle, status, detail)
            if status == "failed":
                report.failed_files = frozen_files(connection)
                report_newest(home, connection, opening.contracts, report, opening.now)

    try:
        builder.start()
        built = builder.complete(build())
        found = list(_tests_found(built))
        if built.failures:
            _check_databases(home)
        else:
            found += _violations(home, cycle)
        _append(opening, cycle, found)
        if not built.failures:
            builder.publish(build_pilots(opening, cycle, builder))
    except Exception as error:
        reraise_stop(error)  # the cycle stays open, as when it is killed
        with suppress(OSError, duckdb.Error, RollcallError):  # without room the cycle stays open
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


def _check_databases(home: Home) -> None:
    """Raise where a build may have failed because a database is damaged."""
    if damaged := damages(home):
        raise UsageError(" ".join(damaged))


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


def _build_pilots(
    pilots: Sequence[str],
    progress: Progress,
    opening: _Opening,
    cycle: Cycle,
    builder: warehouse.Builder,
) -> dict[str, str]:
    """Build each pilot in its schema; one that fails keeps its last good state, which is said.

    Returns:
        The queries of the views that were built, by name.
    """
    queries: dict[str, str] = {}
    for source_id in pilots:
        progress.say(f"Pilot {source_id}")
        try:
            pilot = PilotBuilder(
                opening.home,
                opening.contracts,
                source_id,
                builder.change,
                builder.live_nodes,
                progress=progress.nodes,
            )
            failures = _build_pilot(pilot, opening, cycle)
        except Exception as error:  # whatever it is, live tables are not touched by it
            reraise_stop(error)
            opening.home.log_failure(f"Pilot {source_id} could not be built")
            failures = [f"{type(error).__name__}; the details are in {opening.home.failure_log}."]
        if failures:
            give_up(opening.home, source_id)
            _note_failed_pilot(opening, cycle, source_id, failures)
        else:
            queries |= pilot.queries
    return queries


def _build_pilot(pilot: PilotBuilder, opening: _Opening, cycle: Cycle) -> list[str]:
    """Build a pilot; returns what failed, a sentence each."""

    def judge(builder: PilotBuilder) -> bool:
        return _judge(
            opening, cycle, builder, links_students=builder.links_students, pilot=builder.schema
        )

    with opening.home.landing(read_only=True) as connection:
        has_new_files = connection.execute(
            "select 1 from landing.cycle_files inner join landing.files using (file_id) "
            "where cycle_id = ? and source_id = ? limit 1",
            [cycle.cycle_id, pilot.source_id],
        ).fetchone()
    pilot.start()
    built = pilot.build(judge if has_new_files else None)
    if built.failures:
        return [sentence for _, _, sentence in _tests_found(built)]
    _append(opening, cycle, _violations(opening.home, cycle, pilot.schema))
    pilot.complete(cycle.cycle_id)
    return []


def _note_failed_pilot(
    opening: _Opening, cycle: Cycle, source_id: str, failures: Sequence[str]
) -> None:
    """Record that a pilot could not be built, so that a replay leaves it alone, too."""
    _append(
        opening,
        cycle,
        [(None, "PILOT_NOT_BUILT", f"{source_id}: {sentence}") for sentence in failures],
    )
    with opening.home.landing() as connection, ledger.transaction(connection):
        replace(opening, connection=connection, now=clock_now()).note(
            PILOT_FAILED, cycle, source_id
        )


def _violations(home: Home, cycle: Cycle, schema: str = "audit") -> list[_Found]:
    """Read what a cycle found of its records, from the warehouse just built."""
    with duckdb.connect(str(home.building_db), read_only=True) as connection:
        return connection.execute(
            f"select file_id, code, detail from {schema}.audit_violation where cycle_id = ? "
            "order by file_id, code, detail",
            [cycle.cycle_id],
        ).fetchall()

"""The inbox: every delivery that is new in it is landed, oldest export first.

The loader judges files; records are judged later, by dbt.
"""

import shutil
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from rollcall.clock import iso
from rollcall.contracts.project import Contracts
from rollcall.databases import attach_last_good, flaw, warehouse_is_damaged
from rollcall.errors import UsageError, is_out_of_room, reraise_stop
from rollcall.home import Home
from rollcall.landing.container import Opened, open_delivery
from rollcall.landing.delivery import Arrival, Known, export_time, land_opened, reject_failed
from rollcall.landing.entries import STILL_BEING_WRITTEN, Entry, read_inbox, settle
from rollcall.landing.job import Context, LandReport, Supersede, full_name, note, supersedes
from rollcall.landing.reported import last_job_that_ended, report_landing
from rollcall.ledger import ledger, stages
from rollcall.ledger.entries import IN_FUTURE
from rollcall.ledger.sql import rows
from rollcall.sanitize import readable_name

_PATIENCE = timedelta(days=1)
"""How long an upload may be unfinished before a person should look."""
_ROOM_BYTES = 16 << 20
"""How much room must be left, after one for which there was too little, for others to be landed."""


@dataclass(frozen=True, slots=True)
class ByHand:
    """An export time that a person gives, and the delivery (`source/name`) that it is of.

    Without a name it is of the one delivery that has no export time of its own.
    """

    exported_at: datetime
    delivery: str | None = None


@dataclass(slots=True)
class _Attempt:
    """An entry to be landed, its export time, and its bytes once they are in the archive."""

    entry: Entry
    boundary: datetime | None
    is_by_hand: bool = False
    opened: Opened | None = None

    def place(self) -> tuple[datetime, str, str]:
        """Say when its turn is: the oldest export first."""
        return self.boundary or datetime.max, self.entry.source_id, self.entry.name


def land(
    home: Home,
    inbox: Path,
    contracts: Contracts,
    at: datetime,
    *,
    dated: ByHand | None = None,
    supersede: Supersede | None = None,
    needs_last_good: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> LandReport:
    """Land what is new in the inbox; what was landed before is recognised and left.

    Whatever is raised while one delivery is landed rejects that one, and the next are landed.

    Args:
        home: the data directory, locked by the caller.
        inbox: folder with one folder per source.
        contracts: sources, feeds and layouts.
        at: the moment of landing, UTC.
        dated: the export time of one delivery, given by hand.
        supersede: the delivery that may replace the files of its export time.
        needs_last_good: whether to land nothing where the last good warehouse cannot be used; else
            the removals of what lands are held then.
        say: called with one line per delivery, for progress.

    Raises:
        UsageError: inbox, data directory or last good warehouse cannot be used, or the delivery to
            supersede with or to date is not there.
        BusyError: the landing database stays open elsewhere.
        KeyboardInterrupt: somebody has stopped the command.
    """
    found = read_inbox(inbox, contracts.sources)
    report = LandReport(left_alone=found.left_alone, unknown=found.unknown)
    for named in (supersede and supersede.delivery, dated and dated.delivery):
        if named and named not in {full_name(entry) for entry in found.entries}:
            raise UsageError(
                f"There is no delivery '{named}' in the inbox; "
                "name it as source/name, such as sis/2026-09-01T010000Z.zip."
            )
    with ExitStack() as stack:
        connection = stack.enter_context(home.landing())
        ledger.prepare(connection, contracts)
        stages.check_pilots(connection, contracts)
        report.last_good_flaw = attach_last_good(home, connection)
        if needs_last_good and report.last_good_flaw:
            raise UsageError(report.last_good_flaw)
        report.job_id, since = ledger.next_job(connection), last_job_that_ended(connection)
        context = Context(
            *(connection, contracts, home, report.job_id, at, supersede, report.last_good_flaw)
        )
        known = _known_entries(connection)
        fresh = []
        for entry in found.entries:
            if not supersedes(context, entry) and known.get(_path_of(entry)) == entry.signature:
                report.deliveries_again += 1
            else:
                fresh.append(entry)
        attempts = [
            _Attempt(entry, export_time(contracts.sources[entry.source_id], entry.name, at))
            for entry in fresh
        ]
        if dated:
            _date_by_hand(attempts, dated)
        still = settle(fresh, report.left_alone)
        attempts = [attempt for attempt in attempts if attempt.entry in still]
        waiting = deque(sorted(attempts, key=_Attempt.place))
        while waiting:
            attempt = waiting.popleft()
            say(full_name(attempt.entry))
            try:
                _land_entry(context, attempt, report)
            except Exception as error:
                stack.close()  # what was raised may have spoiled the connection
                reraise_stop(error)
                is_tried_again = _compares_no_more(error, home, report)
                if not is_tried_again and _concerns_all(error, home):
                    raise
                connection = stack.enter_context(home.landing())
                if report.last_good_flaw is None:
                    home.attach_last_good(connection)
                context = replace(
                    context, connection=connection, last_good_flaw=report.last_good_flaw
                )
                if is_tried_again:
                    waiting.appendleft(attempt)
                    continue
                home.log_failure(f"While {full_name(attempt.entry)} was landed")
                _record_failure(context, attempt, error, report)
        report.in_future = rows(connection, IN_FUTURE, [at])
        _say_since(context, report)
        report_landing(connection, contracts, report, since)
        if found.entries:
            with ledger.transaction(connection):
                note(
                    context,
                    "job_landed",
                    str(report.job_id),
                    f"landed={report.deliveries_landed} rejected={report.deliveries_rejected} "
                    f"again={report.deliveries_again}",
                )
    return report


def _compares_no_more(error: Exception, home: Home, report: LandReport) -> bool:
    """Say whether the last good warehouse failed, which is damaged; it is left out from now on."""
    if report.last_good_flaw is None and isinstance(error, duckdb.Error):
        why = flaw(home.warehouse_db)
        report.last_good_flaw = warehouse_is_damaged(home, why) if why else None
        return why is not None
    return False


def _concerns_all(error: Exception, home: Home) -> bool:
    """Say whether the disk or a database is what fails, so that no delivery could be landed.

    A delivery for which the disk has too little room, though it has some, concerns no other.
    """
    if is_out_of_room(error):
        return shutil.disk_usage(home.path).free < _ROOM_BYTES
    is_damaged = isinstance(error, duckdb.Error) and flaw(home.landing_db) is not None
    return is_damaged or isinstance(error, duckdb.IOException)


def _date_by_hand(attempts: list["_Attempt"], dated: ByHand) -> None:
    """Give one delivery the export time that a person says.

    Raises:
        UsageError: no delivery lacks an export time, several do, or the one that is named has been
            landed before.
    """
    if dated.delivery:
        wanted = [item for item in attempts if full_name(item.entry) == dated.delivery]
        if not wanted:
            raise UsageError(
                f"'{dated.delivery}' was landed before; what is landed keeps its export time."
            )
    else:
        wanted = [item for item in attempts if item.boundary is None]
    if len(wanted) != 1:
        names = ", ".join(full_name(item.entry) for item in wanted)
        raise UsageError(
            f"--exported-at is the time of one delivery, and {len(wanted)} lack one"
            f"{f' ({names})' if names else ''}; say which one is meant with --delivery SOURCE/NAME."
        )
    wanted[0].boundary, wanted[0].is_by_hand = dated.exported_at, True


def _say_since(context: Context, report: LandReport) -> None:
    """Say since when uploads are unfinished, and which of what was left alone needs a person.

    The ledger keeps when each was first seen, for as long as it is seen at every landing.
    """
    ending = f": {STILL_BEING_WRITTEN}"
    unfinished = [line.removesuffix(ending) for line in report.left_alone if line.endswith(ending)]
    with ledger.transaction(context.connection):
        first_seen = ledger.keep_first_seen(context.connection, unfinished, context.at)
    for place, line in enumerate(report.left_alone):
        since = first_seen.get(line.removesuffix(ending))
        if since and since < context.at:
            line += f" since {iso(since)}"
        if since and context.at - since >= _PATIENCE:
            line += "; if its upload has failed, finish it or remove what is left of it"
        if since is None or context.at - since >= _PATIENCE:
            report.stuck.append(line)
        report.left_alone[place] = line


def _path_of(entry: Entry) -> str:
    return readable_name(str(entry.path.absolute()))


def _known_entries(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the signature of each entry that was landed, by its path.

    What was rejected is looked at again: the contracts may have changed since.
    """
    rows = connection.execute(
        "select path, signature from landing.inbox_entries "
        "left join landing.deliveries using (delivery_id) where verdict is distinct from 'rejected'"
    ).fetchall()
    return dict(rows)


def _land_entry(context: Context, attempt: _Attempt, report: LandReport) -> None:
    entry = attempt.entry
    try:
        source = context.contracts.sources[entry.source_id]
        opened = attempt.opened = open_delivery(entry, context.home, source)
        if opened is None:
            report.left_alone.append(f"{full_name(entry)}: {STILL_BEING_WRITTEN}")
            return
        report.mended += [f"{full_name(entry)}/{name}" for name in opened.mended]
        with ledger.transaction(context.connection):
            arrival = _recognise(context, attempt, opened)
            is_there = arrival.known is not None and arrival.known.verdict == "accepted"
            if not is_there:
                is_there = not land_opened(context, arrival)
                _note_findings(context)
            _remember(context, entry, arrival.delivery_id)
        report.deliveries_again += is_there
    finally:
        context.home.empty_spool()


def _record_failure(
    context: Context, attempt: _Attempt, error: Exception, report: LandReport
) -> None:
    """Reject a delivery for what was raised while it was landed."""
    opened = attempt.opened or Opened(attempt.entry.signature, None, 0)
    with ledger.transaction(context.connection):
        arrival = _recognise(context, attempt, opened)
        failed_again = reject_failed(context, arrival, error)
        _remember(context, attempt.entry, arrival.delivery_id)
    if failed_again:
        report.files.append(failed_again)


def _recognise(context: Context, attempt: _Attempt, opened: Opened) -> Arrival:
    """Look in the ledger for a delivery whose bytes are known."""
    entry, exported_at = attempt.entry, attempt.boundary
    source = context.contracts.sources[entry.source_id]
    if source.exported_at_policy == "receipt" or attempt.is_by_hand:
        exported_at = _received_before(context, attempt, opened) or exported_at
    delivery_id = ledger.make_id(source.source_id, iso(exported_at), opened.content_sha256)
    known = _known_delivery(context, delivery_id)
    return Arrival(delivery_id, entry, source, exported_at, opened, known)


def _remember(context: Context, entry: Entry, delivery_id: str) -> None:
    context.connection.execute(
        "insert or replace into landing.inbox_entries values (?, ?, ?)",
        [_path_of(entry), entry.signature, delivery_id],
    )


def _note_findings(context: Context) -> None:
    """Append to the chain what was found so far, so that a crash leaves nothing out."""
    if context.connection.execute(
        "select 1 from landing.findings where job_id = ? limit 1", [context.job_id]
    ).fetchone():
        note(context, "job_found", str(context.job_id), "")


def _known_delivery(context: Context, delivery_id: str) -> Known | None:
    found = context.connection.execute(
        "select delivery_name, verdict, code from landing.deliveries where delivery_id = ?",
        [delivery_id],
    ).fetchone()
    return Known(*found) if found else None


def _received_before(context: Context, attempt: _Attempt, opened: Opened) -> datetime | None:
    """Return when the newest delivery of this name came, if these are its bytes.

    A source whose exports count from their receipt may send the same name every night; bytes that
    lie there still, or are written anew without a change, are no new export, nor are bytes that
    were rejected and are tried again. What was landed with a time by hand keeps it.
    """
    newest = context.connection.execute(
        "select content_sha256, exported_at from landing.deliveries where source_id = ? "
        "and delivery_name = ? and (verdict = 'accepted' or (content_sha256 = ? and not ?)) "
        "order by exported_at desc nulls last limit 1",
        [
            *(attempt.entry.source_id, attempt.entry.name),
            *(opened.content_sha256, attempt.is_by_hand),
        ],
    ).fetchone()
    return newest[1] if newest and newest[0] == opened.content_sha256 else None

"""The inbox: every delivery that is new in it is landed, oldest export first.

The loader judges files; records are judged later, by dbt.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb

from rollcall.clock import iso
from rollcall.contracts.project import Contracts
from rollcall.errors import UsageError
from rollcall.home import Home
from rollcall.landing.container import open_delivery
from rollcall.landing.delivery import Known, export_time, land_opened
from rollcall.landing.entries import STILL_BEING_WRITTEN, Entry, read_inbox, settle
from rollcall.landing.job import Context, LandReport, Supersede, full_name, note, supersedes
from rollcall.ledger import ledger
from rollcall.ledger.entries import IN_FUTURE
from rollcall.ledger.sql import rows
from rollcall.sanitize import readable_name


def land(
    home: Home,
    inbox: Path,
    contracts: Contracts,
    at: datetime,
    *,
    exported_at: datetime | None = None,
    supersede: Supersede | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> LandReport:
    """Land what is new in the inbox; what was landed before is recognised and left.

    Args:
        home: the data directory, locked by the caller.
        inbox: folder with one folder per source.
        contracts: sources, feeds and layouts.
        at: the moment of landing, UTC.
        exported_at: export boundary given by hand for every delivery of this landing.
        supersede: the delivery that may replace the files of its export time.
        say: called with one line per delivery, for progress.

    Raises:
        UsageError: inbox or data directory cannot be used, or the delivery to supersede with is
            not there.
        BusyError: the landing database stays open elsewhere.
    """
    found = read_inbox(inbox, contracts.sources)
    report = LandReport(left_alone=found.left_alone, unknown=found.unknown)
    if supersede and supersede.delivery not in {full_name(entry) for entry in found.entries}:
        raise UsageError(
            f"There is no delivery '{supersede.delivery}' in the inbox; "
            "name it as source/name, such as sis/2026-09-01T010000Z.zip."
        )
    with home.landing() as connection:
        ledger.prepare(connection, contracts)
        report.job_id = ledger.next_job(connection)
        context = Context(connection, contracts, home, report.job_id, at, supersede)
        known = _known_entries(connection)
        fresh = []
        for entry in found.entries:
            is_wanted = exported_at is not None or supersedes(context, entry)
            if not is_wanted and known.get(_path_of(entry)) == entry.signature:
                report.deliveries_again += 1
            else:
                fresh.append(entry)
        dated = [
            (_boundary(context, entry, exported_at), entry)
            for entry in settle(fresh, report.left_alone)
        ]
        dated.sort(key=lambda pair: (pair[0] or datetime.max, pair[1].source_id, pair[1].name))
        if dated:
            home.attach_last_good(connection)
        for boundary, entry in dated:
            say(f"{entry.source_id}/{entry.name}")
            _land_entry(context, entry, boundary, report)
        report.in_future = rows(connection, IN_FUTURE, [at])
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


def _boundary(context: Context, entry: Entry, by_hand: datetime | None) -> datetime | None:
    source = context.contracts.sources[entry.source_id]
    return by_hand or export_time(source, entry.name, context.at)


def _land_entry(
    context: Context, entry: Entry, boundary: datetime | None, report: LandReport
) -> None:
    source = context.contracts.sources[entry.source_id]
    opened = open_delivery(entry, context.home, source)
    if opened is None:
        report.left_alone.append(f"{full_name(entry)}: {STILL_BEING_WRITTEN}")
        return
    report.mended += [f"{full_name(entry)}/{name}" for name in opened.mended]
    if source.exported_at_policy == "receipt":
        boundary = _received_before(context, entry, opened.content_sha256) or boundary
    delivery_id = ledger.make_id(source.source_id, iso(boundary), opened.content_sha256)
    try:
        with ledger.transaction(context.connection):
            known = _known_delivery(context, delivery_id)
            if known and known.verdict == "accepted":
                report.deliveries_again += 1
            else:
                land_opened(context, entry, source, boundary, delivery_id, opened, known, report)
                _note_findings(context)
            context.connection.execute(
                "insert or replace into landing.inbox_entries values (?, ?, ?)",
                [_path_of(entry), entry.signature, delivery_id],
            )
    finally:
        context.home.empty_spool()


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


def _received_before(context: Context, entry: Entry, content_sha256: str) -> datetime | None:
    """Return when the newest delivery of this name came, if these are its bytes.

    A source whose exports count from their receipt may send the same name every night; bytes that
    lie there still, or are written anew without a change, are no new export.
    """
    newest = context.connection.execute(
        "select content_sha256, exported_at from landing.deliveries where source_id = ? "
        "and delivery_name = ? and verdict = 'accepted' order by exported_at desc limit 1",
        [entry.source_id, entry.name],
    ).fetchone()
    return newest[1] if newest and newest[0] == content_sha256 else None

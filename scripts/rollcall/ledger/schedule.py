"""The schedule: which exports are due by a cut-off, as `sources.csv` declares them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
from cronsim import CronSim

from rollcall.contracts.project import Contracts
from rollcall.contracts.sources import Source
from rollcall.ledger.entries import USABLE_FILES


@dataclass(frozen=True, slots=True)
class ExpectedExport:
    """An export of a feed that the schedule set, and when it is missed; both UTC."""

    source_id: str
    feed: str
    expected_at: datetime
    due_at: datetime


def scheduled(source: Source, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the scheduled exports that are due at a moment, newest first: (expected, due), UTC.

    The schedule runs in the source's time zone, so that a nightly export stays nightly when the
    clocks change.
    """
    if not source.schedule:
        return
    grace = timedelta(minutes=source.grace_minutes)
    zone = ZoneInfo(source.time_zone)
    # The search goes back from the next minute, so that an export due this very minute counts.
    start = (until - grace + timedelta(minutes=1)).replace(tzinfo=UTC).astimezone(zone)
    for moment in CronSim(source.schedule, start, reverse=True):
        expected_at = moment.astimezone(UTC).replace(tzinfo=None)
        if expected_at + grace <= until:
            yield expected_at, expected_at + grace


def newly_due(
    connection: duckdb.DuckDBPyConnection,
    contracts: Contracts,
    at: datetime,
    since: datetime | None,
) -> list[ExpectedExport]:
    """Return the exports that fell due after one moment and by another, oldest first.

    A feed is due from its first arrival on. Without a first moment, only the newest export counts.
    """
    found = []
    for source, first_arrivals in _started(connection, contracts, at):
        for expected_at, due_at in scheduled(source, at):
            if expected_at < min(first_arrivals.values()) or (since and due_at <= since):
                break
            found += [
                ExpectedExport(source.source_id, feed, expected_at, due_at)
                for feed, first_arrival in first_arrivals.items()
                if first_arrival <= expected_at
            ]
            if since is None:
                break
    return sorted(found, key=lambda export: (export.expected_at, export.source_id, export.feed))


def missing(
    connection: duckdb.DuckDBPyConnection, contracts: Contracts, at: datetime
) -> list[ExpectedExport]:
    """Return, for each due feed, the newest export that was due at a moment, if nothing meets it.

    A file meets it when its boundary is not before the scheduled time and a cycle may see it.
    """
    newest_file = {
        (source_id, feed): exported_at
        for source_id, feed, exported_at in connection.execute(
            f"select source_id, feed, max(exported_at) from ({USABLE_FILES}) "
            "where exported_at <= ? group by source_id, feed",
            [at],
        ).fetchall()
    }
    return [
        export
        for export in newly_due(connection, contracts, at, since=None)
        if newest_file.get((export.source_id, export.feed), datetime.min) < export.expected_at
    ]


def _started(
    connection: duckdb.DuckDBPyConnection, contracts: Contracts, at: datetime
) -> Iterator[tuple[Source, dict[str, datetime]]]:
    """Yield each source of which anything is due, with its due feeds and when each first came."""
    first_arrival = {
        (source_id, feed): exported_at
        for source_id, feed, exported_at in connection.execute(
            "select source_id, feed, min(exported_at) from landing.files "
            "where verdict <> 'rejected' and feed is not null and exported_at <= ? "
            "group by source_id, feed",
            [at],
        ).fetchall()
    }
    for source in contracts.sources.values():
        feeds = {
            feed: first_arrival[source.source_id, feed]
            for feed in source.due_feeds
            if (source.source_id, feed) in first_arrival
        }
        if feeds:
            yield source, feeds

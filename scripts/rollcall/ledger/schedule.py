"""The schedule: which exports are due by a cut-off, as `sources.csv` declares them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
from cronsim import CronSim

from rollcall.contracts.project import Contracts
from rollcall.contracts.sources import Source
from rollcall.ledger import stages
from rollcall.ledger.entries import USABLE_FILES

_AHEAD = timedelta(hours=3)
"""How far ahead the search back begins: an hour that is passed twice does not hide the first."""
_LOOKING_BACK = timedelta(days=2)
"""How long before the last cycle an export may have fallen due that is made up."""


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
    clocks change. What would run in an hour that they pass twice runs in the first; what would run
    in one that they leave out, at its end.
    """
    if not source.schedule:
        return
    grace = timedelta(minutes=source.grace_minutes)
    start = (until - grace + _AHEAD).replace(tzinfo=UTC).astimezone(ZoneInfo(source.time_zone))
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
    """Return the exports that are due by a moment and not recorded yet, oldest first.

    A feed is due from its first arrival on, while its source is a pilot or live. What fell due
    shortly before the last cycle and was not recorded then, as when its grace has become shorter,
    is made up.

    Args:
        connection: the landing database.
        contracts: the sources and their schedules.
        at: the moment, UTC.
        since: cut-off of the last cycle; without one only the newest export of a source counts.
    """
    recorded = _newest_recorded(connection, at)

    def is_new(export: ExpectedExport) -> bool:
        known = recorded.get((export.source_id, export.feed))
        if known:
            return export.expected_at > known.expected_at
        return since is None or export.due_at > since

    found: list[ExpectedExport] = []
    for source, first_arrivals in _started(connection, contracts, at):
        for expected_at, due_at in scheduled(source, at):
            is_past = since and due_at <= since - _LOOKING_BACK
            if is_past or expected_at < min(first_arrivals.values()):
                break
            exports = [
                ExpectedExport(source.source_id, feed, expected_at, due_at)
                for feed, first_arrival in first_arrivals.items()
                if first_arrival <= expected_at
            ]
            found += filter(is_new, exports)
            if since is None:
                break
    return sorted(found, key=lambda export: (export.expected_at, export.source_id, export.feed))


def newest_due(
    connection: duckdb.DuckDBPyConnection, contracts: Contracts, at: datetime
) -> dict[tuple[str, str], ExpectedExport]:
    """Return the newest export that is due at a moment, by source and due feed.

    It is the one that a cycle has recorded, as the warehouse has it, or one that fell due since.
    """
    recorded = _newest_recorded(connection, at)
    newest = {
        (source.source_id, feed): recorded[source.source_id, feed]
        for source, feeds in _started(connection, contracts, at)
        for feed in feeds
        if (source.source_id, feed) in recorded
    }
    for export in newly_due(connection, contracts, at, since=None):
        newest[export.source_id, export.feed] = export
    return newest


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
    found = [
        export
        for key, export in newest_due(connection, contracts, at).items()
        if newest_file.get(key, datetime.min) < export.expected_at
    ]
    return sorted(found, key=lambda export: (export.expected_at, export.source_id, export.feed))


def _newest_recorded(
    connection: duckdb.DuckDBPyConnection, at: datetime
) -> dict[tuple[str, str], ExpectedExport]:
    """Return the newest export that any cycle has recorded as due by a moment, by source, feed."""
    found = connection.execute(
        "select source_id, feed, max(expected_at), max_by(due_at, expected_at) "
        "from landing.expected_exports where due_at <= ? group by source_id, feed",
        [at],
    ).fetchall()
    return {(row[0], row[1]): ExpectedExport(*row) for row in found}


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
    stage = stages.decided(connection, contracts)
    for source in contracts.sources.values():
        if stage[source.source_id] not in stages.EXPECTING:
            continue
        feeds = {
            feed: first_arrival[source.source_id, feed]
            for feed in source.due_feeds
            if source.schedule and (source.source_id, feed) in first_arrival
        }
        if feeds:
            yield source, feeds

"""What `rollcall status` says: cycles, sources, files that wait, how old the data is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb

from rollcall.contracts.project import Contracts
from rollcall.contracts.sources import Source
from rollcall.home import Home
from rollcall.ledger import schedule, stages
from rollcall.ledger.entries import (
    CYCLE_ATTEMPTS,
    IN_FUTURE,
    REJECTED,
    UNFINISHED,
    USABLE_FILES,
    cutoff_ahead,
    frozen_files,
    held_files,
    open_questions,
)
from rollcall.ledger.sql import rows


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One source: its stage, its newest export seen and how old it is, in hours.

    `stage` is what was decided last, which the next cycle goes by.
    """

    source_id: str
    name: str
    stage: str
    last_exported_at: datetime | None
    age_hours: float | None
    latency_target_hours: int
    file_count: int
    rejected_count: int

    @property
    def is_stale(self) -> bool:
        """Whether the newest export is older than the source's latency target allows."""
        is_awaited = self.stage in stages.EXPECTING
        return is_awaited and (self.age_hours or 0) > self.latency_target_hours


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """One due feed: `status` is on_time, late, missing or never; times are UTC."""

    source_id: str
    feed: str
    status: str
    newest_exported_at: datetime | None
    expected_at: datetime | None
    due_at: datetime | None


@dataclass(slots=True)
class StatusReport:
    """The state of a data directory.

    `unfinished_because` says what kept the unfinished cycle from being published, a sentence each;
    `changed_files` names code and seeds that differ from those of the last good cycle;
    `published_because` says why the last good cycle was published although tests of it failed;
    `questions` are what deliveries have left open although no file waits;
    `unfinished_uploads` lists those that the last landing left alone, and since when.
    """

    last_cycle: dict[str, Any] | None = None
    published_because: str | None = None
    unfinished_cycle: dict[str, Any] | None = None
    unfinished_because: list[str] = field(default_factory=list)
    waiting_files: int = 0
    changed_files: list[str] = field(default_factory=list)
    sources: list[SourceStatus] = field(default_factory=list)
    rejected_files: list[dict[str, Any]] = field(default_factory=list)
    held_files: list[dict[str, Any]] = field(default_factory=list)
    questions: list[dict[str, Any]] = field(default_factory=list)
    in_future: list[dict[str, Any]] = field(default_factory=list)
    unfinished_uploads: list[dict[str, Any]] = field(default_factory=list)
    cutoff_ahead: datetime | None = None
    feeds: list[FeedStatus] = field(default_factory=list)
    report: str | None = None


def read(home: Home, contracts: Contracts, now: datetime) -> StatusReport:
    """Read the state of a data directory from its ledger.

    Raises:
        UsageError: nothing has landed in this data directory yet.
    """
    with home.landing(read_only=True) as connection:
        report = StatusReport()
        if home.report.exists():
            report.report = str(home.report / "index.html")
        for cycle in rows(
            connection,
            "select cycle_id, cutoff_at, status from landing.cycles "
            f"where status = 'completed' or {UNFINISHED} order by cycle_id",
        ):
            if cycle["status"] == "completed":
                report.last_cycle = cycle
            else:
                report.unfinished_cycle = cycle | {"files": frozen_files(connection)}
                report.unfinished_because = failures(connection, cycle["cycle_id"])
        if report.last_cycle:
            report.published_because = _published_because(connection, report.last_cycle["cycle_id"])
        report.waiting_files = len(
            rows(
                connection,
                f"select file_id from ({USABLE_FILES}) "
                "where file_id not in (select file_id from landing.cycle_files)",
            )
        )
        seen = {
            row["source_id"]: row
            for row in rows(
                connection,
                "select source_id, count(*) as files, "
                "count(*) filter (verdict = 'rejected') as rejected, "
                "max(exported_at) filter (verdict = 'accepted' and exported_at <= ?) "
                "as last_exported_at from landing.files group by source_id",
                [now],
            )
        }
        report.rejected_files = rows(
            connection,
            "select file_id, source_id, delivery_name, file_name, code, detail from landing.files "
            f"where {REJECTED} order by landed_at desc, source_id, file_name, file_id",
        )
        report.held_files = held_files(connection, contracts, now)
        report.questions = open_questions(connection, contracts)
        report.in_future = rows(connection, IN_FUTURE, [now])
        report.unfinished_uploads = rows(
            connection,
            "select delivery, first_seen_at from landing.unfinished_uploads order by all",
        )
        report.cutoff_ahead = cutoff_ahead(connection, now)
        stage = stages.decided(connection, contracts)
        awaited = [s for s in contracts.sources.values() if stage[s.source_id] in stages.EXPECTING]
        report.feeds = _feeds(connection, contracts, awaited, now)
    for source in contracts.sources.values():
        row = seen.get(source.source_id, {})
        last = row.get("last_exported_at")
        report.sources.append(
            SourceStatus(
                source_id=source.source_id,
                name=source.name,
                stage=stage[source.source_id],
                last_exported_at=last,
                age_hours=round((now - last).total_seconds() / 3600, 1) if last else None,
                latency_target_hours=source.latency_target_hours,
                file_count=row.get("files", 0),
                rejected_count=row.get("rejected", 0),
            )
        )
    return report


def failures(connection: duckdb.DuckDBPyConnection, cycle_id: int) -> list[str]:
    """Return what the tries of a cycle found to keep it from being published, a sentence each."""
    found = connection.execute(
        "select detail from landing.findings "
        "where cycle_id = ? and code in ('TEST_FAILED', 'BUILD_FAILED') "
        "group by detail order by min(finding_number)",
        [cycle_id],
    ).fetchall()
    return [detail for (detail,) in found]


def _published_because(connection: duckdb.DuckDBPyConnection, cycle_id: int) -> str | None:
    last_attempt = connection.execute(
        f"select last_kind, last_detail from ({CYCLE_ATTEMPTS}) where cycle_id = ?", [cycle_id]
    ).fetchone()
    if last_attempt is None or last_attempt[0] != "cycle_publish_anyway":
        return None
    return str(last_attempt[1]).partition(": ")[2]


def _feeds(
    connection: duckdb.DuckDBPyConnection,
    contracts: Contracts,
    sources: Sequence[Source],
    now: datetime,
) -> list[FeedStatus]:
    """Say of every due feed of the sources whether the newest export that was due by now is there.

    It is late when a cycle at whose cut-off it was due had not seen it.
    """
    arrivals = {
        (row["source_id"], row["feed"]): row
        for row in rows(
            connection,
            "select source_id, feed, max(exported_at) as newest, "
            "max_by(coalesce(cycle_id, 9223372036854775807), exported_at) as cycle_id "
            f"from ({USABLE_FILES}) left join landing.cycle_files using (file_id) "
            "where exported_at <= ? group by source_id, feed",
            [now],
        )
    }
    due = schedule.newest_due(connection, contracts, now)
    cycles = connection.execute(
        "select cycle_id, cutoff_at from landing.cycles where cutoff_at <= ?", [now]
    ).fetchall()
    found = []
    for source in sources:
        for feed in source.due_feeds:
            arrived, export = (
                arrivals.get((source.source_id, feed)),
                due.get((source.source_id, feed)),
            )
            if arrived is None and export is None:
                status = "never"
            elif export is None:
                status = "on_time"
            elif arrived is None or arrived["newest"] < export.expected_at:
                status = "missing"
            else:
                is_late = any(
                    cycle_id < arrived["cycle_id"] and cutoff_at >= export.due_at
                    for cycle_id, cutoff_at in cycles
                )
                status = "late" if is_late else "on_time"
            found.append(
                FeedStatus(
                    source.source_id,
                    feed,
                    status,
                    arrived["newest"] if arrived else None,
                    export.expected_at if export else None,
                    export.due_at if export else None,
                )
            )
    return found

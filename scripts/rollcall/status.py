"""What `rollcall status` says: cycles, sources, files that wait, how old the data is."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rollcall.home import Home
from rollcall.layouts import Contracts
from rollcall.ledger import rows


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One source: its newest export seen and how old it is, in hours."""

    source_id: str
    name: str
    last_exported_at: datetime | None
    age_hours: float | None
    latency_target_hours: int
    file_count: int
    refused_count: int

    @property
    def is_stale(self) -> bool:
        """Whether the newest export is older than the source's latency target allows."""
        return self.age_hours is not None and self.age_hours > self.latency_target_hours


@dataclass(slots=True)
class StatusReport:
    """The state of a home."""

    last_cycle: dict[str, Any] | None = None
    unfinished_cycle: dict[str, Any] | None = None
    waiting_files: int = 0
    sources: list[SourceStatus] = field(default_factory=list)
    refused_files: list[dict[str, Any]] = field(default_factory=list)


def read(home: Home, contracts: Contracts, now: datetime) -> StatusReport:
    """Read the state of a home from its ledger.

    Raises:
        UsageError: nothing has landed in this home yet.
    """
    with home.landing(read_only=True) as connection:
        report = StatusReport()
        for cycle in rows(
            connection, "select cycle_id, cutoff_at, status from landing.cycles order by cycle_id"
        ):
            if cycle["status"] == "completed":
                report.last_cycle = cycle
            else:
                report.unfinished_cycle = cycle
        report.waiting_files = len(
            rows(
                connection,
                "select file_id from landing.files where verdict = 'accepted' "
                "and file_id not in (select file_id from landing.cycle_files)",
            )
        )
        seen = {
            row["source_id"]: row
            for row in rows(
                connection,
                "select source_id, count(*) as files, "
                "count(*) filter (verdict <> 'accepted') as refused, "
                "max(exported_at) filter (verdict = 'accepted') as last_exported_at "
                "from landing.files group by source_id",
            )
        }
        report.refused_files = rows(
            connection,
            "select source_id, delivery_name, file_name, verdict, code, detail from landing.files "
            "where verdict <> 'accepted' order by landed_at desc, source_id, file_name limit 20",
        )
    for source in contracts.sources.values():
        row = seen.get(source.source_id, {})
        last = row.get("last_exported_at")
        report.sources.append(
            SourceStatus(
                source_id=source.source_id,
                name=source.name,
                last_exported_at=last,
                age_hours=round((now - last).total_seconds() / 3600, 1) if last else None,
                latency_target_hours=source.latency_target_hours,
                file_count=row.get("files", 0),
                refused_count=row.get("refused", 0),
            )
        )
    return report

"""A landing under way: what its steps share, and what it reports."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb

from rollcall.contracts.project import Contracts
from rollcall.contracts.sources import Source
from rollcall.home import Home
from rollcall.landing.container import Member
from rollcall.landing.entries import Entry
from rollcall.ledger import ledger


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file, for people and for `--json`."""

    file_id: str
    source_id: str
    delivery_name: str
    file_name: str
    feed: str | None
    verdict: str
    are_removals_held: bool
    code: str | None
    detail: str | None
    record_count: int | None
    malformed_count: int | None
    structural_count: int = 0

    @property
    def needs_attention(self) -> bool:
        """Whether a person should look: nothing of it is used, or its removals wait."""
        return self.verdict != "accepted" or self.are_removals_held


@dataclass(slots=True)
class LandReport:
    """What one landing did.

    `in_future` are the deliveries, landed now or before, whose export time has not come yet;
    `mended` the files, named source/delivery/file, whose bytes stood damaged in the archive;
    `last_good_flaw` says why nothing could be compared with the last good warehouse, if so;
    `stuck` is what was left alone and does not come right by itself; `questions` is what deliveries
    have left open although no file waits.
    """

    job_id: int = 0
    files: list[FileReport] = field(default_factory=list)
    deliveries_landed: int = 0
    deliveries_rejected: int = 0
    deliveries_again: int = 0
    left_alone: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    questions: list[dict[str, Any]] = field(default_factory=list)
    in_future: list[dict[str, Any]] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    last_good_flaw: str | None = None

    @property
    def needs_attention(self) -> bool:
        """Whether a person should look: what was rejected, waits, cannot be read, was mended."""
        return (
            bool(self.unknown or self.mended or self.last_good_flaw)
            or any(delivery["is_far"] for delivery in self.in_future)
            or bool(self.stuck or self.questions)
            or any(file.needs_attention for file in self.files)
        )


@dataclass(frozen=True, slots=True)
class Supersede:
    """A delivery (`source/name`) that replaces the files of the same export time, and why."""

    delivery: str
    reason: str
    decided_by: str


@dataclass(frozen=True, slots=True)
class Context:
    """What every step of one landing needs.

    `last_good_flaw` says why files cannot be compared with the last good warehouse, if so.
    """

    connection: duckdb.DuckDBPyConnection
    contracts: Contracts
    home: Home
    job_id: int
    at: datetime
    supersede: Supersede | None = None
    last_good_flaw: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery being landed."""

    delivery_id: str
    name: str
    container: str
    source: Source
    exported_at: datetime
    landed_at: datetime
    members: tuple[Member, ...]


def find(context: Context, file_id: str | None, code: str, detail: str) -> bool:
    """Append a finding of this landing; say whether it is new."""
    return ledger.add_finding(
        context.connection,
        job_id=context.job_id,
        file_id=file_id,
        code=code,
        detail=detail,
        at=context.at,
    )


def note(context: Context, kind: str, subject: str, detail: str) -> None:
    """Append an event of this landing."""
    ledger.note(
        context.connection,
        job_id=context.job_id,
        at=context.at,
        kind=kind,
        subject=subject,
        detail=detail,
    )


def supersedes(context: Context, entry: Entry) -> bool:
    """Say whether an entry is the delivery that may replace what is there."""
    return context.supersede is not None and context.supersede.delivery == full_name(entry)


def full_name(entry: Entry) -> str:
    """Name a delivery as people do: source/delivery."""
    return f"{entry.source_id}/{entry.name}"

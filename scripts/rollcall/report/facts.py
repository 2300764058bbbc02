"""What an administrator asks first: is last night good, and if not, what is there to do?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import duckdb

from rollcall.contracts import codes
from rollcall.ledger.status import StatusReport, failures
from rollcall.project import REFERENCE_DIR
from rollcall.report.listings import Table, words
from rollcall.sanitize import plain

_FAILURES_REPORTED = 3
Level = Literal["failed", "attention", "good"]


@dataclass(frozen=True, slots=True)
class Point:
    """One thing to know, in a sentence; what to do and to type; `page` says more."""

    level: Level
    subject: str
    sentence: str
    to_do: str = ""
    command: str = ""
    code: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the newest cycle is good, and why.

    `published_at` is the cut-off of the cycle that people see; `cutoff_at` that of the newest one.
    """

    level: Level
    headline: str
    cycle_id: int
    cutoff_at: datetime
    published_id: int
    published_at: datetime
    points: list[Point]


def answer(
    connection: duckdb.DuckDBPyConnection,
    status: StatusReport,
    tables: dict[str, Table],
) -> Answer:
    """Judge the newest cycle of a data directory of which at least one cycle was published.

    Args:
        connection: the ledger in use, the warehouse attached as `good`.
        status: the state of the data directory at the cut-off of the newest cycle.
        tables: the listings.
    """
    published = status.last_cycle
    newest = status.unfinished_cycle or published
    if newest is None or published is None:
        raise ValueError("no cycle was published")
    points = [
        *_failure(connection, status),
        *_overruled(connection, status),
        *_unbalanced(connection),
        *_unexplained(connection, tables),
        *_held(status),
        *_rejected(connection, status, newest["cycle_id"]),
        *_asked(status),
        *_in_future(status),
        *_due(status),
    ]
    levels = {point.level for point in points}
    level: Level = "good"
    if levels:
        level = "failed" if "failed" in levels else "attention"
    return Answer(
        level,
        _headline(level, len(points), newest["cycle_id"], published["cycle_id"]),
        newest["cycle_id"],
        newest["cutoff_at"],
        published["cycle_id"],
        published["cutoff_at"],
        points,
    )


def _headline(level: Level, count: int, newest: int, published: int) -> str:
    if newest != published:
        return (
            f"No. Cycle {newest} did not complete, so nothing of it was published. "
            f"People still see what cycle {published} left."
        )
    if level == "failed":
        return f"No. Cycle {newest} was published, but not all of it can be relied on."
    if level == "good":
        return f"Yes. Cycle {newest} was published, and nothing waits for a person."
    waits = "one thing needs" if count == 1 else f"{count} things need"
    return f"Yes, but {waits} a person. Cycle {newest} was published."


def _failure(connection: duckdb.DuckDBPyConnection, status: StatusReport) -> list[Point]:
    cycle = status.unfinished_cycle
    if cycle is None:
        return []
    reported = _checks_failed(connection, cycle["cycle_id"])
    return [
        Point(
            "failed",
            f"Cycle {cycle['cycle_id']}",
            " ".join(["A check failed.", *reported] if reported else ["It was interrupted."]),
            "Readers keep the last good warehouse. Have the cause corrected, then run:",
            "rollcall cycle",
            page="cycles.html",
        )
    ]


def _overruled(connection: duckdb.DuckDBPyConnection, status: StatusReport) -> list[Point]:
    """Say that the last good cycle was published although its checks failed, and why."""
    cycle = status.last_cycle
    if cycle is None or status.published_because is None:
        return []
    reported = _checks_failed(connection, cycle["cycle_id"])
    because = f"It was published although checks failed: {plain(status.published_because)}."
    return [
        Point(
            "failed",
            f"Cycle {cycle['cycle_id']}",
            " ".join([because, *reported]),
            "Tell those who rely on the data, and have the cause corrected before the next cycle.",
            page="cycles.html",
        )
    ]


def _checks_failed(connection: duckdb.DuckDBPyConnection, cycle_id: int) -> list[str]:
    """Say what the failed checks of a cycle found: a sentence each, the first few."""
    failed = failures(connection, cycle_id)
    reported = [_as_sentence(plain(detail)) for detail in failed[:_FAILURES_REPORTED]]
    if len(failed) > len(reported):
        reported.append(f"... and {len(failed) - len(reported)} more.")
    return reported


def _as_sentence(detail: str) -> str:
    """Say what a check found, its name as words."""
    name, colon, found = detail.partition(": ")
    return name.replace("_", " ") + colon + found


def _unbalanced(connection: duckdb.DuckDBPyConnection) -> list[Point]:
    [(count,)] = connection.execute(
        "select count(*) from good.reconciliation.recon_file_balance where not is_balanced"
    ).fetchall()
    return (
        [
            Point(
                "failed",
                "Records unaccounted for",
                f"The records of {count} files do not add up.",
                "Do not rely on these files; hand this page to an engineer.",
                page="reconciliation.html",
            )
        ]
        if count
        else []
    )


def _unexplained(connection: duckdb.DuckDBPyConnection, tables: dict[str, Table]) -> list[Point]:
    points = []
    for name in ("recon_missing_record", "recon_unexpected_record", "recon_diverging_value"):
        table = tables[name]
        if not table.is_known:
            continue
        [(count,)] = connection.execute(
            f"select count(*) from good.reconciliation.{name} where not is_explained"
        ).fetchall()
        if count:
            points.append(
                Point(
                    "failed",
                    table.listing.title,
                    f"{count:,} differences have no explanation.",
                    "Do not rely on these records; hand this page to an engineer.",
                    page=f"reconciliation.html#{name}",
                )
            )
    return points


def _held(status: StatusReport) -> list[Point]:
    return [
        Point(
            "attention",
            _name(file),
            ("The file waits. " if file["verdict"] == "held" else "Its removals wait. ")
            + plain(file["detail"] or ""),
            "Ask the source whether this is meant, and decide; with refuse instead of release it "
            "stays out:",
            f"rollcall release {file['file_id']} --reason '...'",
            file["code"] or "",
            "sources.html#files",
        )
        for file in status.held_files
    ]


def _rejected(
    connection: duckdb.DuckDBPyConnection, status: StatusReport, cycle_id: int
) -> list[Point]:
    """Say which files that landed since the cycle before were rejected, and what to do."""
    landed = connection.execute(
        "select file_id from landing.files where job_id > "
        "(select coalesce(max(job_id), 0) from landing.cycles where cycle_id < ?)",
        [cycle_id],
    ).fetchall()
    return [
        Point(
            "attention",
            _name(file),
            f"The file was rejected. {plain(file['detail'] or '')}",
            codes.advice(REFERENCE_DIR)[file["code"]],
            code=file["code"],
            page="sources.html#files",
        )
        for file in status.rejected_files
        if (file["file_id"],) in landed
    ]


def _asked(status: StatusReport) -> list[Point]:
    """Say what deliveries have left open although no file waits."""
    return [
        Point(
            "attention",
            _name(question),
            plain(question["detail"]),
            codes.advice(REFERENCE_DIR)[question["code"]],
            code=question["code"],
            page="sources.html#files",
        )
        for question in status.questions
    ]


def _in_future(status: StatusReport) -> list[Point]:
    """Say which deliveries lie far ahead, so that their time is wrong rather than near."""
    return [
        Point(
            "attention",
            plain(f"{row['source_id']} / {row['delivery_name']}"),
            f"Its export time {words(row['exported_at'])} UTC has not come; no cycle takes it yet.",
            codes.advice(REFERENCE_DIR)["EXPORT_IN_FUTURE"],
            f"rollcall refuse {row['file_ids'][0]} --reason '...'",
            "EXPORT_IN_FUTURE",
            "sources.html",
        )
        for row in status.in_future
        if row["is_far"]
    ]


def _due(status: StatusReport) -> list[Point]:
    missing: dict[tuple[str, str, str], list[str]] = {}
    live = {source.source_id for source in status.sources if source.stage == "live"}
    for feed in status.feeds:
        if feed.status == "missing" and feed.source_id in live:
            export = (feed.source_id, words(feed.expected_at), words(feed.due_at))
            missing.setdefault(export, []).append(feed.feed.split("/")[-1].replace("_", " "))
    return [
        Point(
            "attention",
            f"{source_id}: {', '.join(names)}",
            f"The export of {expected_at} UTC was due by {due_at} UTC and has not come in a file "
            "that can be used. The last good data of the feed stays in place.",
            "Look at the vendor's export job and at the upload; the next export corrects it.",
            code="FEED_MISSING",
            page="lag.html",
        )
        for (source_id, expected_at, due_at), names in missing.items()
    ]


def _name(file: dict[str, str]) -> str:
    parts = [file["source_id"], file["delivery_name"], file["file_name"]]
    return plain(" / ".join(dict.fromkeys(parts)))

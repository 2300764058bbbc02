"""A delivery: what it replaces, its entry in the ledger and the verdicts of its files.

One delivery is one transaction: its ledger entries and its rows are there together or not at all.
"""

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from rollcall.clock import as_utc, end_of_day, iso, local_date
from rollcall.contracts.sources import MANIFEST, Source
from rollcall.landing.container import Opened, Rejection
from rollcall.landing.entries import Entry
from rollcall.landing.file import add_file, feed_of, file_report, land_file, reject_file
from rollcall.landing.job import (
    Context,
    Delivery,
    FileReport,
    LandReport,
    find,
    full_name,
    note,
    supersedes,
)
from rollcall.landing.verdicts import (
    CLASSES,
    TERMS,
    Judgement,
    Readable,
    check_manifest,
    judge_members,
    read_manifest,
    split_aside,
)
from rollcall.ledger import ledger
from rollcall.ledger.entries import is_visible

_TIMES_IN_NAMES = (
    *("%Y-%m-%dT%H%M%SZ", "%Y%m%dT%H%M%SZ", "%Y-%m-%dT%H%MZ", "%Y-%m-%dT%H%M%S"),
    *("%Y-%m-%d_%H%M%S", "%Y%m%d%H%M%S", "%Y-%m-%d", "%Y%m%d"),
)
"""How a name may begin with its export time; the first that suits the source is shown."""
_MOST_NAMES = 10
_PLAUSIBLE_YEARS = range(1981, 9999)
"""Before them, as the macro `is_plausible` has it, lie the zero points of clocks."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger says of a delivery with the same bytes and export time."""

    delivery_name: str
    verdict: str
    code: str | None


def land_opened(
    context: Context,
    entry: Entry,
    source: Source,
    boundary: datetime | None,
    delivery_id: str,
    opened: Opened,
    known: Known | None,
    report: LandReport,
) -> None:
    """Land a delivery whose bytes are archived, or reject it as a whole.

    One that was rejected before is looked at again: under another name, or since the contracts have
    changed, it may be taken.
    """
    row = _row(context, entry, source, boundary, delivery_id, opened)
    members, aside = split_aside(context.contracts, source, entry.kind, opened.members)
    rejection = opened.rejection
    if not rejection and boundary is None:
        rejection = _without_boundary(entry, source, context.at)
    if not rejection and not members:
        rejection = Rejection("DELIVERY_EMPTY", f"It holds no file of an export: {_listed(aside)}.")
    earlier: list[EarlierFile] = []
    if not rejection and boundary:
        delivery = Delivery(
            delivery_id, entry.name, entry.kind, source, boundary, context.at, members
        )
        earlier = earlier_files(context, delivery)
        if not supersedes(context, entry):
            if _is_there_already(context, delivery):
                report.deliveries_again += 1
                return
            rejection = _conflict(context, delivery, earlier)
    if rejection:
        if known == Known(entry.name, "rejected", rejection.code):
            report.deliveries_again += 1
        else:
            _reject_delivery(context, row, rejection, report)
        return
    if earlier:
        row["supersedes"] = earlier[0].delivery_name
        _replace_earlier(context, delivery, [file.file_id for file in earlier], report)
    report.deliveries_landed += 1
    _add_delivery(context, row, "accepted", None)
    _note_aside(context, source, [*opened.aside, *aside], report)
    files, findings = _land_delivery(context, delivery)
    if delivery.exported_at > context.at:
        sentence = f"the export time {iso(boundary)} of '{entry.name}' has not come yet."
        find(context, None, "EXPORT_IN_FUTURE", f"{source.source_id}: {sentence}")
    report.files.extend(files)
    report.findings.extend(findings)


def reject_failed(
    context: Context,
    entry: Entry,
    source: Source,
    boundary: datetime | None,
    delivery_id: str,
    opened: Opened,
    known: Known | None,
    error: Exception,
    report: LandReport,
) -> None:
    """Reject a delivery for what was raised while it was landed; it is tried at every landing.

    It is told every time, and recorded once.
    """
    rejection = Rejection(
        "LANDING_FAILED",
        f"Landing it raised {type(error).__name__}, so nothing of it was kept; the trace is in "
        "logs/rollcall.log of the data directory. Every landing tries it again.",
    )
    row = _row(context, entry, source, boundary, delivery_id, opened)
    if known == Known(entry.name, "rejected", rejection.code):
        report.deliveries_rejected += 1
        report.files.append(file_report(_rejected_file(row, rejection)))
    else:
        _reject_delivery(context, row, rejection, report)


def _row(
    context: Context,
    entry: Entry,
    source: Source,
    boundary: datetime | None,
    delivery_id: str,
    opened: Opened,
) -> dict[str, Any]:
    """Return the entry of a delivery in the ledger, but for its verdict."""
    return {
        "delivery_id": delivery_id,
        "job_id": context.job_id,
        "source_id": source.source_id,
        "delivery_name": entry.name,
        "container": entry.kind,
        "exported_at": boundary,
        "content_sha256": opened.content_sha256,
        "archive_sha256": opened.archive_sha256,
        "byte_count": opened.byte_count,
        "landed_at": context.at,
    }


def export_time(source: Source, delivery_name: str, seen_at: datetime) -> datetime | None:
    """Return the export time of a delivery by its source's policy, or None when unreadable.

    `name`: the time that `name_pattern` finds in the delivery's name; a day alone is the end of
    that day, or when it was seen where the day is not over. `receipt`: when it was seen.
    """
    if source.exported_at_policy == "receipt":
        return seen_at
    found = re.search(source.name_pattern, delivery_name)
    try:
        exported_at = _named_time(source, found["exported_at"], seen_at) if found else None
    except (ValueError, OverflowError):
        return None
    return exported_at if exported_at and exported_at.year in _PLAUSIBLE_YEARS else None


def _named_time(source: Source, text: str, seen_at: datetime) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo:
            return moment.astimezone(UTC).replace(tzinfo=None)
        return as_utc(moment, source.naive_time_zone)
    ends_at = end_of_day(day, source.time_zone)
    return min(ends_at, seen_at) if day == local_date(seen_at, source.time_zone) else ends_at


def _without_boundary(entry: Entry, source: Source, at: datetime) -> Rejection:
    """Say which name would do, and which setting takes any name."""
    written = (f"{at:{form}}_{entry.name}" for form in _TIMES_IN_NAMES)
    example = next((name for name in written if export_time(source, name, at)), None)
    renamed = f"such as '{example}'" if example else f"by the pattern {source.name_pattern}"
    return Rejection(
        "EXPORT_TIME_UNKNOWN",
        f"The name '{entry.name}' holds no export time. Have each export named by its time in "
        f"UTC, {renamed}; or, where the vendor insists on the name, set exported_at_policy of "
        f"{source.source_id} to receipt in seeds/contracts/sources.csv: its exports then count "
        "from when they are first seen. Or say when this one was exported: "
        f"rollcall land --exported-at TIME --delivery {shlex.quote(full_name(entry))}",
    )


def _listed(names: Iterable[str]) -> str:
    """List names for people, each once, and not too many."""
    shown = sorted(set(names))
    return ", ".join(shown[:_MOST_NAMES]) + (
        f" and {len(shown) - _MOST_NAMES} more" if len(shown) > _MOST_NAMES else ""
    )


def _note_aside(context: Context, source: Source, names: Sequence[str], report: LandReport) -> None:
    """Say once of a source which files of its deliveries are passed over."""
    detail = f"{source.source_id}: passed over {_listed(names)}, which hold nothing of the export."
    if names and find(context, None, "FILES_PASSED_OVER", detail):
        report.findings.append(detail)


@dataclass(frozen=True, slots=True)
class EarlierFile:
    """A file that an earlier delivery brought for the same feed and export time."""

    file_id: str
    delivery_name: str
    feed: str
    sha256: str


def earlier_files(context: Context, delivery: Delivery) -> list[EarlierFile]:
    """Return the files of earlier deliveries with a feed and the export time of this one."""
    feeds = _hashes(context, delivery).keys() - {MANIFEST}
    found = context.connection.execute(
        "select file_id, delivery_name, feed, sha256 from landing.files "
        "where source_id = ? and exported_at = ? and verdict <> 'rejected' and feed is not null "
        "and file_id not in (select file_id from landing.decisions where decision = 'supersede') "
        "and delivery_id <> ? order by feed, delivery_name, file_id",
        [delivery.source.source_id, delivery.exported_at, delivery.delivery_id],
    ).fetchall()
    return [EarlierFile(*row) for row in found if row[2] in feeds]


def _hashes(context: Context, delivery: Delivery) -> dict[str, str]:
    """Return the SHA-256 of each file of a delivery whose name tells its feed, by feed."""
    return {
        feed.feed: member.sha256
        for member in delivery.members
        if (feed := feed_of(context, delivery, member))
    }


def _is_there_already(context: Context, delivery: Delivery) -> bool:
    """Say whether every file of a delivery has come in others, for the same export time."""
    found = context.connection.execute(
        "select sha256 from landing.files "
        "where source_id = ? and exported_at = ? and delivery_id <> ?",
        [delivery.source.source_id, delivery.exported_at, delivery.delivery_id],
    ).fetchall()
    return {(member.sha256,) for member in delivery.members} <= set(found)


def _conflict(context: Context, delivery: Delivery, earlier: list[EarlierFile]) -> Rejection | None:
    """Reject other bytes for what has come; an upload whose rest comes now is no conflict."""
    hashes = _hashes(context, delivery)
    other = next((file for file in earlier if file.sha256 != hashes[file.feed]), None)
    if other is None:
        return None
    return Rejection(
        "DELIVERY_CONFLICT",
        f"'{other.delivery_name}' already brought {other.feed} for the export of "
        f"{iso(delivery.exported_at)}, with other bytes.",
    )


def _replace_earlier(
    context: Context, delivery: Delivery, file_ids: list[str], report: LandReport
) -> None:
    """Record that this delivery replaces earlier files: a person said so, or it completes them."""
    where = f"{delivery.source.source_id}/{delivery.name}"
    reason, decided_by = "the rest of the delivery has come", "rollcall"
    if context.supersede and context.supersede.delivery == where:
        reason, decided_by = context.supersede.reason, context.supersede.decided_by
    seen = 0
    for file_id in file_ids:
        ledger.decide(
            context.connection,
            job_id=context.job_id,
            file_id=file_id,
            decision="supersede",
            reason=reason,
            decided_by=decided_by,
            at=context.at,
        )
        seen += is_visible(context.connection, file_id)
    rebuilt = (
        f"; {seen} of them were in use, so the next cycle rebuilds their feeds" if seen else ""
    )
    report.findings.append(f"{where}: replaces {len(file_ids)} files, {reason}{rebuilt}.")


def _reject_delivery(
    context: Context, row: dict[str, Any], rejection: Rejection, report: LandReport
) -> None:
    _add_delivery(context, row, "rejected", rejection)
    report.deliveries_rejected += 1
    file = _rejected_file(row, rejection)
    find(context, file["file_id"], rejection.code, rejection.detail)
    report.files.append(add_file(context, file))


def _rejected_file(row: dict[str, Any], rejection: Rejection) -> dict[str, Any]:
    """Return the entry that stands for all files of a rejected delivery."""
    return {
        "file_id": ledger.make_id(row["delivery_id"], row["delivery_name"]),
        "delivery_id": row["delivery_id"],
        "source_id": row["source_id"],
        "delivery_name": row["delivery_name"],
        "file_name": row["delivery_name"],
        "sha256": row["archive_sha256"] or row["content_sha256"],
        "byte_count": row["byte_count"],
        "exported_at": row["exported_at"],
        "landed_at": row["landed_at"],
        "verdict": "rejected",
        "code": rejection.code,
        "detail": rejection.detail,
    }


def _add_delivery(
    context: Context, row: dict[str, Any], verdict: str, rejection: Rejection | None
) -> None:
    delivery_id = row["delivery_id"]
    rejected_before = context.connection.execute(
        "delete from landing.files where delivery_id = ? returning file_id", [delivery_id]
    ).fetchall()
    for (file_id,) in rejected_before:
        note(context, "file_withdrawn", file_id, "its delivery is judged again")
    outcome = {
        "verdict": verdict,
        "code": rejection.code if rejection else None,
        "detail": rejection.detail if rejection else None,
    }
    ledger.put(context.connection, "deliveries", row | outcome, may_be_there=True)
    note(
        context,
        f"delivery_{verdict}",
        delivery_id,
        f"{row['source_id']} {iso(row['exported_at'])} {row['content_sha256']} "
        f"{rejection.code if rejection else ''}".rstrip(),
    )


def _land_delivery(context: Context, delivery: Delivery) -> tuple[list[FileReport], list[str]]:
    """Judge and store every file of a delivery; terms and classes first: the rest hangs on them."""
    judged = judge_members(context.contracts, delivery.source, delivery.container, delivery.members)
    manifest = read_manifest(judged)
    findings: list[str] = []
    reports = []
    wrong_year: Judgement | None = None
    for member, outcome in sorted(judged, key=lambda pair: _place(pair[1])):
        if isinstance(outcome, Rejection):
            reports.append(reject_file(context, delivery, member, outcome))
            continue
        report, sentences, wrong_year = land_file(context, delivery, outcome, manifest, wrong_year)
        reports.append(report)
        findings.extend(sentences)
    where = f"{delivery.source.source_id}/{delivery.name}"
    notes = list(check_manifest(delivery.container, judged, manifest, delivery.source.default_mode))
    if any(report.record_count for report in reports):
        notes += _same_as_before(context, delivery)
    for code, sentence in notes:
        find(context, None, code, f"{where}: {sentence}")
        findings.append(f"{where}: {sentence}")
    return reports, findings


def _place(outcome: Readable | Rejection) -> int:
    first = (TERMS, CLASSES)
    feed = outcome.feed.feed if isinstance(outcome, Readable) else ""
    return first.index(feed) if feed in first else len(first)


def _same_as_before(context: Context, delivery: Delivery) -> list[tuple[str, str]]:
    """Say that earlier exports held the very same files: the source may be stuck."""
    hashes = sorted(member.sha256 for member in delivery.members)
    earlier = context.connection.execute(
        "select exported_at from landing.files where source_id = ? and exported_at < ? "
        "and feed is not null group by delivery_id, exported_at having list_sort(list(sha256)) = ? "
        "order by exported_at desc",
        [delivery.source.source_id, delivery.exported_at, hashes],
    ).fetchall()
    if not earlier:
        return []
    return [
        (
            "CONTENT_REPEATED",
            f"the same bytes as the export of {iso(earlier[0][0])}"
            + (f" and {len(earlier) - 1} before it" if len(earlier) > 1 else "")
            + "; the source may be stuck.",
        )
    ]

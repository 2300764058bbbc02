"""A delivery: what it replaces, its entry in the ledger and the verdicts of its files.

One delivery is one transaction: its ledger entries and its rows are there together or not at all.
"""

from datetime import datetime
from typing import Any

from rollcall.clock import iso
from rollcall.contracts.sources import Source
from rollcall.landing.container import Opened, Rejection
from rollcall.landing.entries import Entry
from rollcall.landing.file import add_file, feed_of, land_file, reject_file
from rollcall.landing.job import Context, Delivery, FileReport, LandReport, find, note, supersedes
from rollcall.landing.verdicts import (
    MANIFEST,
    TERMS,
    Judgement,
    Readable,
    check_manifest,
    judge_members,
    read_manifest,
)
from rollcall.ledger import ledger
from rollcall.ledger.entries import is_visible


def land_opened(
    context: Context,
    entry: Entry,
    source: Source,
    boundary: datetime | None,
    delivery_id: str,
    opened: Opened,
    report: LandReport,
) -> None:
    """Land a delivery whose bytes are archived, or reject it as a whole."""
    row = {
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
    if opened.rejection or boundary is None:
        rejection = opened.rejection or _without_boundary(entry, source)
        _reject_delivery(context, row, rejection, report)
        return
    delivery = Delivery(
        delivery_id, entry.name, entry.kind, source, boundary, context.at, opened.members
    )
    earlier = earlier_files(context, delivery)
    if earlier and not supersedes(context, entry):
        _, name, feed = earlier[0]
        sentence = (
            f"'{name}' already brought {feed} for the export of {iso(boundary)}, with other bytes."
        )
        _reject_delivery(context, row, Rejection("DELIVERY_CONFLICT", sentence), report)
        return
    if earlier:
        row["supersedes"] = earlier[0][1]
        _replace_earlier(context, delivery, [file_id for file_id, _, _ in earlier], report)
    report.deliveries_landed += 1
    _add_delivery(context, row, "accepted", None)
    files, findings = _land_delivery(context, delivery)
    report.files.extend(files)
    report.findings.extend(findings)


def _without_boundary(entry: Entry, source: Source) -> Rejection:
    return Rejection(
        "EXPORT_TIME_UNKNOWN",
        f"The name '{entry.name}' holds no export time as sources.csv expects it "
        f"from {source.source_id}; rename it, or land it with --exported-at.",
    )


def earlier_files(context: Context, delivery: Delivery) -> list[tuple[str, str, str]]:
    """Return the files of earlier deliveries with a feed and the export time of this one."""
    feeds = {
        feed.feed
        for member in delivery.members
        if (feed := feed_of(context, delivery, member)) and feed.feed != MANIFEST
    }
    found = context.connection.execute(
        "select file_id, delivery_name, feed from landing.files "
        "where source_id = ? and exported_at = ? and verdict <> 'rejected' and feed is not null "
        "and file_id not in (select file_id from landing.decisions where decision = 'supersede') "
        "and delivery_id <> ? order by feed, delivery_name, file_id",
        [delivery.source.source_id, delivery.exported_at, delivery.delivery_id],
    ).fetchall()
    return [row for row in found if row[2] in feeds]


def _replace_earlier(
    context: Context, delivery: Delivery, file_ids: list[str], report: LandReport
) -> None:
    """Record that a person had this delivery replace earlier files."""
    assert context.supersede is not None  # noqa: S101  (asked before)
    seen = 0
    for file_id in file_ids:
        ledger.decide(
            context.connection,
            job_id=context.job_id,
            file_id=file_id,
            decision="supersede",
            reason=context.supersede.reason,
            decided_by=context.supersede.decided_by,
            at=context.at,
        )
        seen += is_visible(context.connection, file_id)
    where = f"{delivery.source.source_id}/{delivery.name}"
    rebuilt = (
        f"; {seen} of them were in use, so the next cycle rebuilds their feeds" if seen else ""
    )
    report.findings.append(f"{where}: replaces {len(file_ids)} files{rebuilt}.")


def _reject_delivery(
    context: Context, row: dict[str, Any], rejection: Rejection, report: LandReport
) -> None:
    _add_delivery(context, row, "rejected", rejection)
    report.deliveries_rejected += 1
    file_id = ledger.make_id(row["delivery_id"], row["delivery_name"])
    find(context, file_id, rejection.code, rejection.detail)
    report.files.append(
        add_file(
            context,
            {
                "file_id": file_id,
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
            },
        )
    )


def _add_delivery(
    context: Context, row: dict[str, Any], verdict: str, rejection: Rejection | None
) -> None:
    delivery_id = row["delivery_id"]
    rejected_before = context.connection.execute(
        "delete from landing.files where delivery_id = ? returning file_id", [delivery_id]
    ).fetchall()
    for (file_id,) in rejected_before:
        note(context, "file_withdrawn", file_id, "its delivery is landed after all")
    outcome = {
        "verdict": verdict,
        "code": rejection.code if rejection else None,
        "detail": rejection.detail if rejection else None,
    }
    ledger.put(context.connection, "deliveries", row | outcome)
    note(
        context,
        f"delivery_{verdict}",
        delivery_id,
        f"{row['source_id']} {iso(row['exported_at'])} {row['content_sha256']} "
        f"{rejection.code if rejection else ''}".rstrip(),
    )


def _land_delivery(context: Context, delivery: Delivery) -> tuple[list[FileReport], list[str]]:
    """Judge and store every file of a delivery; files of terms first, since they date the rest."""
    judged = judge_members(context.contracts, delivery.source, delivery.container, delivery.members)
    manifest = read_manifest(judged)
    findings: list[str] = []
    reports = []
    wrong_year: Judgement | None = None
    for member, outcome in sorted(judged, key=lambda pair: not _is_of_terms(pair[1])):
        if isinstance(outcome, Rejection):
            reports.append(reject_file(context, delivery, member, outcome))
            continue
        report, sentences, wrong_year = land_file(context, delivery, outcome, manifest, wrong_year)
        reports.append(report)
        findings.extend(sentences)
    where = f"{delivery.source.source_id}/{delivery.name}"
    notes = list(check_manifest(delivery.container, judged, manifest))
    if any(report.record_count for report in reports):
        notes += _same_as_before(context, delivery)
    for code, sentence in notes:
        find(context, None, code, f"{where}: {sentence}")
        findings.append(f"{where}: {sentence}")
    return reports, findings


def _is_of_terms(outcome: Readable | Rejection) -> bool:
    return isinstance(outcome, Readable) and outcome.feed.feed == TERMS


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

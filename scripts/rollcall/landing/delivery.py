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
from rollcall.errors import is_out_of_room
from rollcall.landing.container import Opened, Rejection
from rollcall.landing.entries import Entry
from rollcall.landing.file import add_file, feed_of, file_report, land_file, reject_file
from rollcall.landing.job import (
    Context,
    Delivery,
    FileReport,
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
from rollcall.ledger.entries import IS_REPLACED, QUESTIONS

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


@dataclass(frozen=True, slots=True)
class Arrival:
    """A delivery to be landed: its bytes, which are archived, and what the ledger says of it.

    `exported_at` is None where nothing says when it was exported.
    """

    delivery_id: str
    entry: Entry
    source: Source
    exported_at: datetime | None
    opened: Opened
    known: Known | None

    def row(self, context: Context) -> dict[str, Any]:
        """Return its entry in the ledger, but for its verdict."""
        return {
            "delivery_id": self.delivery_id,
            "job_id": context.job_id,
            "source_id": self.source.source_id,
            "delivery_name": self.entry.name,
            "container": self.entry.kind,
            "exported_at": self.exported_at,
            "content_sha256": self.opened.content_sha256,
            "archive_sha256": self.opened.archive_sha256,
            "byte_count": self.opened.byte_count,
            "landed_at": context.at,
        }

    def was_rejected(self, code: str) -> bool:
        """Say whether it was rejected before under this name, for the same reason."""
        return self.known == Known(self.entry.name, "rejected", code)


def land_opened(context: Context, arrival: Arrival) -> bool:
    """Land a delivery, or reject it as a whole.

    One that was rejected before is looked at again: under another name, or since the contracts have
    changed, it may be taken.

    Returns:
        Whether the ledger has got anything new of it.
    """
    entry, source, opened = arrival.entry, arrival.source, arrival.opened
    row = arrival.row(context)
    members, aside = split_aside(context.contracts, source, entry.kind, opened.members)
    rejection = opened.rejection
    if not rejection and arrival.exported_at is None:
        rejection = _without_boundary(entry, source, context.at)
    if not rejection and not members:
        rejection = Rejection("DELIVERY_EMPTY", f"It holds no file of an export: {_listed(aside)}.")
    earlier: list[EarlierFile] = []
    if not rejection and arrival.exported_at:
        delivery = Delivery(
            *(arrival.delivery_id, entry.name, entry.kind, source),
            *(arrival.exported_at, context.at, members),
        )
        earlier = earlier_files(context, delivery)
        if not supersedes(context, entry):
            if _is_there_already(context, delivery):
                return False
            rejection = _conflict(context, delivery, earlier)
    if rejection:
        if arrival.was_rejected(rejection.code):
            return False
        _reject_delivery(context, row, rejection)
        return True
    if earlier:
        row["supersedes"] = earlier[0].delivery_name
        _replace_earlier(context, delivery, [file.file_id for file in earlier])
    _add_delivery(context, row, "accepted", None)
    _note_aside(context, source, [*opened.aside, *aside])
    _land_delivery(context, delivery)
    if delivery.exported_at > context.at:
        sentence = (
            f"the export time {iso(delivery.exported_at)} of '{entry.name}' has not come yet."
        )
        find(context, None, "EXPORT_IN_FUTURE", f"{source.source_id}: {sentence}")
    return True


def reject_failed(context: Context, arrival: Arrival, error: Exception) -> FileReport | None:
    """Reject a delivery for what was raised while it was landed; it is tried at every landing.

    Returns:
        What is to be reported of one whose failure is in the ledger already.
    """
    why = f"Landing it raised {type(error).__name__}"
    if is_out_of_room(error):
        why = "The disk has too little room for it"
    rejection = Rejection(
        "LANDING_FAILED",
        f"{why}, so nothing of it was kept; the trace is in logs/rollcall.log of the data "
        "directory. Every landing tries it again.",
    )
    row = arrival.row(context)
    if arrival.was_rejected(rejection.code):
        return file_report(_rejected_file(row, rejection))
    _reject_delivery(context, row, rejection)
    return None


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


def _note_aside(context: Context, source: Source, names: Sequence[str]) -> None:
    """Say once of a source which files of its deliveries are passed over."""
    detail = f"{source.source_id}: passed over {_listed(names)}, which hold nothing of the export."
    if names:
        find(context, None, "FILES_PASSED_OVER", detail)


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
        f"and not ({IS_REPLACED}) "
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


def _replace_earlier(context: Context, delivery: Delivery, file_ids: list[str]) -> None:
    """Record that this delivery replaces earlier files: a person said so, or it completes them."""
    where = f"{delivery.source.source_id}/{delivery.name}"
    reason, decided_by = "the rest of the delivery has come", "rollcall"
    if context.supersede and context.supersede.delivery == where:
        reason, decided_by = context.supersede.reason, context.supersede.decided_by
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


def _reject_delivery(context: Context, row: dict[str, Any], rejection: Rejection) -> None:
    _add_delivery(context, row, "rejected", rejection)
    file = _rejected_file(row, rejection)
    find(context, file["file_id"], rejection.code, rejection.detail)
    add_file(context, file)


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


def _land_delivery(context: Context, delivery: Delivery) -> None:
    """Judge and store every file of a delivery; terms and classes first: the rest hangs on them."""
    judged = judge_members(context.contracts, delivery.source, delivery.container, delivery.members)
    manifest = read_manifest(judged)
    reports = []
    wrong_year: Judgement | None = None
    for member, outcome in sorted(judged, key=lambda pair: _place(pair[1])):
        if isinstance(outcome, Rejection):
            reports.append(reject_file(context, delivery, member, outcome))
            continue
        report, wrong_year = land_file(context, delivery, outcome, manifest, wrong_year)
        reports.append(report)
    where = f"{delivery.source.source_id}/{delivery.name}"
    notes = list(
        check_manifest(context.contracts, delivery.source, delivery.container, judged, manifest)
    )
    if any((report.record_count or 0) > report.structural_count for report in reports):
        notes += _same_as_before(context, delivery)
    said_by = next((report.file_id for report in reports if report.feed == MANIFEST), None)
    for code, sentence in notes:
        if code in QUESTIONS:
            find(context, said_by, code, sentence)
        else:
            find(context, None, code, f"{where}: {sentence}")


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

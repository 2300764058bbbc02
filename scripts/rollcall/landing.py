"""Landing: from the inbox to raw tables, untouched, with a verdict for every file.

One delivery is one transaction: its ledger entries and its rows are there together or not at all.
The loader judges files; records are judged later, by dbt.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from rollcall import ledger, raw
from rollcall.clock import iso
from rollcall.contracts import Contracts, Feed, Source
from rollcall.deliveries import (
    STILL_BEING_WRITTEN,
    Entry,
    Member,
    Opened,
    Refusal,
    export_time,
    open_delivery,
    read_inbox,
    readable_name,
    settle,
)
from rollcall.errors import UsageError
from rollcall.framing import Framer, HeaderError
from rollcall.home import Home
from rollcall.value_checks import judge_values
from rollcall.verdicts import (
    MANIFEST,
    TERMS,
    Effect,
    Judgement,
    Manifest,
    Readable,
    check_manifest,
    declared_mode,
    effective_mode,
    feed_by_name,
    judge_members,
    judge_structure,
    looks_unlike_csv,
    read_manifest,
)
from rollcall.volume_checks import StoredFile, attach_last_good, judge_school_year, judge_volume


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


@dataclass(slots=True)
class LandReport:
    """What one landing did."""

    job_id: int = 0
    files: list[FileReport] = field(default_factory=list)
    deliveries_landed: int = 0
    deliveries_refused: int = 0
    deliveries_again: int = 0
    left_alone: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    @property
    def needs_attention(self) -> bool:
        """Whether a person should look: what was refused, what waits, what cannot be read."""
        return (
            bool(self.unknown)
            or any(not line.endswith(STILL_BEING_WRITTEN) for line in self.left_alone)
            or any(file.verdict != "accepted" or file.are_removals_held for file in self.files)
        )


@dataclass(frozen=True, slots=True)
class Supersede:
    """A delivery (`source/name`) that takes the place of what stands at its boundary, and why."""

    delivery: str
    reason: str
    decided_by: str


@dataclass(frozen=True, slots=True)
class Context:
    """What every step of one landing needs."""

    connection: duckdb.DuckDBPyConnection
    contracts: Contracts
    home: Home
    job_id: int
    at: datetime
    supersede: Supersede | None = None


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
        home: the district's home, locked by the caller.
        inbox: folder with one folder per source.
        contracts: sources, feeds and layouts.
        at: the moment of landing, UTC.
        exported_at: export boundary given by hand for every delivery of this landing.
        supersede: the delivery that may replace what stands at its boundary.
        say: told one line per delivery, for progress.

    Raises:
        UsageError: inbox or home cannot be used, or the delivery to supersede with is not there.
        BusyError: the landing database stays open elsewhere.
    """
    found = read_inbox(inbox, frozenset(contracts.sources))
    report = LandReport(left_alone=found.left_alone, unknown=found.unknown)
    if supersede and supersede.delivery not in {_full_name(entry) for entry in found.entries}:
        raise UsageError(
            f"There is no delivery '{supersede.delivery}' in the inbox; "
            "name it as source/name, such as sis/2026-09-01T010000Z.zip."
        )
    with home.landing(say=say) as connection:
        ledger.prepare(connection, contracts)
        report.job_id = ledger.next_job(connection)
        context = Context(connection, contracts, home, report.job_id, at, supersede)
        known = _known_entries(connection)
        fresh = []
        for entry in found.entries:
            is_wanted = exported_at is not None or _supersedes(context, entry)
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
            attach_last_good(connection, home)
        for boundary, entry in dated:
            say(f"{entry.source_id}/{entry.name}")
            _land_entry(context, entry, boundary, report)
        if found.entries:
            with ledger.transaction(connection):
                note(
                    context,
                    "job_landed",
                    str(report.job_id),
                    f"landed={report.deliveries_landed} refused={report.deliveries_refused} "
                    f"again={report.deliveries_again}",
                )
    return report


def _full_name(entry: Entry) -> str:
    return f"{entry.source_id}/{entry.name}"


def _path_of(entry: Entry) -> str:
    return readable_name(str(entry.path.absolute()))


def _supersedes(context: Context, entry: Entry) -> bool:
    return context.supersede is not None and context.supersede.delivery == _full_name(entry)


def _known_entries(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    rows = connection.execute("select path, signature from landing.inbox_entries").fetchall()
    return dict(rows)


def _boundary(context: Context, entry: Entry, by_hand: datetime | None) -> datetime | None:
    source = context.contracts.sources[entry.source_id]
    return by_hand or export_time(source, entry.name, context.at)


def _land_entry(
    context: Context, entry: Entry, boundary: datetime | None, report: LandReport
) -> None:
    source = context.contracts.sources[entry.source_id]
    opened = open_delivery(entry, context.home, source.limits)
    if opened is None:
        report.left_alone.append(f"{_full_name(entry)}: {STILL_BEING_WRITTEN}")
        return
    delivery_id = ledger.make_id(source.source_id, iso(boundary), opened.content_sha256)
    try:
        with ledger.transaction(context.connection):
            verdict = _verdict_of_delivery(context, delivery_id)
            if verdict == "accepted" or (verdict and not _supersedes(context, entry)):
                report.deliveries_again += 1
            else:
                _land_opened(context, entry, source, boundary, delivery_id, opened, report)
                _note_findings(context)
            context.connection.execute(
                "insert or replace into landing.inbox_entries values (?, ?, ?)",
                [_path_of(entry), entry.signature, delivery_id],
            )
    finally:
        context.home.empty_spool()


def _note_findings(context: Context) -> None:
    """Have the chain tell of what was found so far, so that a crash leaves nothing untold."""
    if context.connection.execute(
        "select 1 from landing.findings where job_id = ? limit 1", [context.job_id]
    ).fetchone():
        note(context, "job_found", str(context.job_id), "")


def _verdict_of_delivery(context: Context, delivery_id: str) -> str | None:
    found = context.connection.execute(
        "select verdict from landing.deliveries where delivery_id = ?", [delivery_id]
    ).fetchone()
    return found[0] if found else None


def _land_opened(
    context: Context,
    entry: Entry,
    source: Source,
    boundary: datetime | None,
    delivery_id: str,
    opened: Opened,
    report: LandReport,
) -> None:
    """Land a delivery whose bytes are archived, or refuse it as a whole."""
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
    if opened.refusal or boundary is None:
        refusal = opened.refusal or _without_boundary(entry, source)
        _refuse_delivery(context, row, refusal, report)
        return
    delivery = Delivery(
        delivery_id, entry.name, entry.kind, source, boundary, context.at, opened.members
    )
    standing = _standing(context, delivery)
    if standing and not _supersedes(context, entry):
        _, name, feed = standing[0]
        sentence = (
            f"'{name}' already brought {feed} for the export of {iso(boundary)}, with other bytes."
        )
        _refuse_delivery(context, row, Refusal("DELIVERY_CONFLICT", sentence), report)
        return
    if standing:
        row["supersedes"] = standing[0][1]
        _replace_standing(context, delivery, [file_id for file_id, _, _ in standing], report)
    report.deliveries_landed += 1
    _add_delivery(context, row, "accepted", None)
    files, findings = _land_delivery(context, delivery)
    report.files.extend(files)
    report.findings.extend(findings)


def _without_boundary(entry: Entry, source: Source) -> Refusal:
    return Refusal(
        "EXPORT_TIME_UNKNOWN",
        f"The name '{entry.name}' holds no export time as sources.csv expects it "
        f"from {source.source_id}; rename it, or land it with --exported-at.",
    )


def _standing(context: Context, delivery: Delivery) -> list[tuple[str, str, str]]:
    """Return the files that already stand for a feed of this delivery at its boundary."""
    feeds = {
        feed.feed
        for member in delivery.members
        if (feed := _feed_of(context, delivery, member)) and feed.feed != MANIFEST
    }
    earlier = context.connection.execute(
        "select file_id, delivery_name, feed from landing.files "
        "where source_id = ? and exported_at = ? and verdict <> 'rejected' and feed is not null "
        "and file_id not in (select file_id from landing.decisions where decision = 'supersede') "
        "and delivery_id <> ? order by feed, delivery_name, file_id",
        [delivery.source.source_id, delivery.exported_at, delivery.delivery_id],
    ).fetchall()
    return [row for row in earlier if row[2] in feeds]


def _feed_of(context: Context, delivery: Delivery, member: Member) -> Feed | None:
    return feed_by_name(context.contracts, delivery.source, delivery.container, member)


def _replace_standing(
    context: Context, delivery: Delivery, file_ids: list[str], report: LandReport
) -> None:
    """Record that a person had this delivery replace the files that stood there."""
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
        seen += ledger.is_visible(context.connection, file_id)
    where = f"{delivery.source.source_id}/{delivery.name}"
    rebuilt = (
        f"; {seen} of them were in use, so the next cycle rebuilds their feeds" if seen else ""
    )
    report.findings.append(f"{where}: takes the place of {len(file_ids)} files{rebuilt}.")


def _refuse_delivery(
    context: Context, row: dict[str, Any], refusal: Refusal, report: LandReport
) -> None:
    _add_delivery(context, row, "rejected", refusal)
    report.deliveries_refused += 1
    file_id = ledger.make_id(row["delivery_id"], row["delivery_name"])
    find(context, file_id, refusal.code, refusal.detail)
    report.files.append(
        _add_file(
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
                "code": refusal.code,
                "detail": refusal.detail,
            },
        )
    )


def _add_delivery(
    context: Context, row: dict[str, Any], verdict: str, refusal: Refusal | None
) -> None:
    delivery_id = row["delivery_id"]
    refused_before = context.connection.execute(
        "delete from landing.files where delivery_id = ? returning file_id", [delivery_id]
    ).fetchall()
    for (file_id,) in refused_before:
        note(context, "file_withdrawn", file_id, "its delivery is landed after all")
    outcome = {
        "verdict": verdict,
        "code": refusal.code if refusal else None,
        "detail": refusal.detail if refusal else None,
    }
    ledger.put(context.connection, "deliveries", row | outcome)
    note(
        context,
        f"delivery_{verdict}",
        delivery_id,
        f"{row['source_id']} {iso(row['exported_at'])} {row['content_sha256']} "
        f"{refusal.code if refusal else ''}".rstrip(),
    )


def _land_delivery(context: Context, delivery: Delivery) -> tuple[list[FileReport], list[str]]:
    """Judge and store every file of a delivery; files of terms first, since they date the rest."""
    judged = judge_members(context.contracts, delivery.source, delivery.container, delivery.members)
    manifest = read_manifest(judged)
    findings: list[str] = []
    reports = []
    wrong_year: Judgement | None = None
    for member, outcome in sorted(judged, key=lambda pair: not _is_of_terms(pair[1])):
        if isinstance(outcome, Refusal):
            reports.append(_refuse_file(context, delivery, member, outcome))
            continue
        report, sentences, wrong_year = land_file(context, delivery, outcome, manifest, wrong_year)
        reports.append(report)
        findings.extend(sentences)
    where = f"{delivery.source.source_id}/{delivery.name}"
    notes = list(check_manifest(delivery.container, judged, manifest))
    if any(report.record_count for report in reports):
        notes += _repeated(context, delivery)
    for code, sentence in notes:
        find(context, None, code, f"{where}: {sentence}")
        findings.append(f"{where}: {sentence}")
    return reports, findings


def _is_of_terms(outcome: Readable | Refusal) -> bool:
    return isinstance(outcome, Readable) and outcome.feed.feed == TERMS


def _repeated(context: Context, delivery: Delivery) -> list[tuple[str, str]]:
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


def judge_again(
    context: Context, delivery: Delivery, file: dict[str, Any], decided_by: str
) -> FileReport:
    """Give one file of a landed delivery a new verdict, by the contracts of today.

    Args:
        context: the landing; its connection is in a transaction.
        delivery: the delivery, with its members from the archive.
        file: the entry of the file in the ledger.
        decided_by: who asked for it.

    Raises:
        UsageError: another file stands for the feed at this boundary.
    """
    ledger.decide(
        context.connection,
        job_id=context.job_id,
        file_id=file["file_id"],
        decision="redrive",
        reason=f"judged again; it was {file['verdict']}"
        + (f" ({file['code']})" * bool(file["code"])),
        decided_by=decided_by,
        at=context.at,
    )
    context.connection.execute(
        "insert into landing.replaced_files by name from landing.files where file_id = ?",
        [file["file_id"]],
    )
    raw.remove(context.connection, file["file_id"], file["raw_table"])
    attach_last_good(context.connection, context.home)
    judged = judge_members(context.contracts, delivery.source, delivery.container, delivery.members)
    [(member, outcome)] = [pair for pair in judged if pair[0].name == file["file_name"]]
    only = replace(delivery, members=(member,))
    for _, name, feed in _standing(context, only):
        raise UsageError(
            f"'{name}' stands for {feed} at this boundary since; "
            "land the delivery with --supersede to replace it."
        )
    if isinstance(outcome, Refusal):
        return _refuse_file(context, delivery, member, outcome)
    wrong_year = _wrong_year(context, delivery)
    report, _, _ = land_file(context, delivery, outcome, read_manifest(judged), wrong_year)
    return report


def _wrong_year(context: Context, delivery: Delivery) -> Judgement | None:
    """Return what the delivery's file of terms said of its school year."""
    found = context.connection.execute(
        "select findings.code, findings.detail from landing.findings "
        "inner join landing.files using (file_id) "
        "where delivery_id = ? and feed = ? and findings.code = 'SCHOOL_YEAR_MISMATCH' "
        "order by finding_number desc limit 1",
        [delivery.delivery_id, TERMS],
    ).fetchone()
    return Judgement(found[0], found[1], Effect.HOLD) if found else None


def _refuse_file(
    context: Context, delivery: Delivery, member: Member, refusal: Refusal
) -> FileReport:
    feed = _feed_of(context, delivery, member)
    framer = _count_records(delivery, member)
    identity = _identity(delivery, member)
    find(context, identity["file_id"], refusal.code, refusal.detail)
    return _add_file(
        context,
        identity
        | {
            "feed": feed.feed if feed else None,
            "record_count": framer.record_count if framer else None,
            "malformed_count": framer.malformed_count if framer else None,
            "blank_line_count": framer.blank_line_count if framer else None,
            "verdict": "rejected",
            "code": refusal.code,
            "detail": refusal.detail,
        },
    )


def _count_records(delivery: Delivery, member: Member) -> Framer | None:
    """Frame a refused file by the width of its own header, so that its records are counted too.

    None where there is no header to go by.
    """
    if looks_unlike_csv(member):
        return None
    try:
        with member.path.open("rb") as stream:
            framer = Framer(
                stream,
                delivery.source.encoding,
                max_record_bytes=int(delivery.source.limits.max_record_bytes),
            )
            for _ in framer:
                pass
    except HeaderError:
        return None
    return framer


def _identity(delivery: Delivery, member: Member) -> dict[str, Any]:
    """What identifies a file, whatever becomes of it: the same in every home."""
    return {
        "file_id": ledger.make_id(delivery.delivery_id, member.name, member.sha256),
        "delivery_id": delivery.delivery_id,
        "source_id": delivery.source.source_id,
        "delivery_name": delivery.name,
        "file_name": member.name,
        "sha256": member.sha256,
        "byte_count": member.byte_count,
        "exported_at": delivery.exported_at,
        "landed_at": delivery.landed_at,
    }


def land_file(
    context: Context,
    delivery: Delivery,
    readable: Readable,
    manifest: Manifest | None,
    wrong_year: Judgement | None,
) -> tuple[FileReport, list[str], Judgement | None]:
    """Store and judge one file.

    Returns:
        The report, what else there is to note of an accepted file, and what the file says of the
        school year of the whole delivery.
    """
    connection, source = context.connection, delivery.source
    member, layout = readable.member, readable.layout
    identity = _identity(delivery, member)
    file_id = identity["file_id"]
    with member.path.open("rb") as stream:
        framer = Framer(
            stream, source.encoding, max_record_bytes=int(source.limits.max_record_bytes)
        )
        stored = raw.store(connection, file_id, readable, framer)
    declared = declared_mode(readable, manifest)
    rows_mode = raw.mode_of_rows(connection, file_id, layout.raw_table, set(layout.raw_columns))
    mode = effective_mode(declared, rows_mode, source.mode_authority)
    file = StoredFile(file_id, source, readable.feed, layout, mode, delivery.exported_at)
    judgements = list(
        judge_structure(
            readable,
            framer,
            manifest,
            declared,
            rows_mode,
            mode,
            hidden_key_count=stored.malformed_keys.count(None),
            is_cut_short=stored.is_cut_short,
        )
    )
    if layout.is_staged:
        wrong_year = next(judge_school_year(connection, file), wrong_year)
        judgements += _judge_records(context, file, framer.malformed_count, wrong_year)
    verdict = _verdict(judgements)
    if verdict == "rejected":
        raw.remove(connection, file_id, layout.raw_table)
    judgements.sort(key=lambda judgement: -judgement.effect)
    report = _add_file(
        context,
        identity
        | {
            "feed": readable.feed.feed,
            "layout_version": layout.version,
            "raw_table": layout.raw_table,
            "declared_mode": declared,
            "mode": mode,
            "are_removals_held": verdict == "accepted"
            and any(judgement.effect == Effect.HOLD_REMOVALS for judgement in judgements),
            "encoding": source.encoding,
            "record_count": framer.record_count,
            "malformed_count": framer.malformed_count,
            "blank_line_count": framer.blank_line_count,
            "verdict": verdict,
            "code": judgements[0].code if judgements else None,
            "detail": " ".join(judgement.sentence for judgement in judgements) or None,
        },
    )
    for judgement in judgements:
        find(context, file_id, judgement.code, judgement.sentence)
    where = f"{source.source_id}/{delivery.name}/{member.name}"
    notes = [item for item in judgements if verdict == "accepted" and item.effect == Effect.NOTE]
    return report, [f"{where}: {item.sentence}" for item in notes], wrong_year


def _judge_records(
    context: Context, file: StoredFile, malformed_count: int, wrong_year: Judgement | None
) -> list[Judgement]:
    """Judge a staged file by its records: values, then volume, then when it came."""
    judgements = list(
        judge_values(
            context.connection,
            file.file_id,
            file.layout,
            file.mode,
            malformed_count=malformed_count,
            max_rejected_percent=file.source.limits.max_rejected_percent,
            floor_count=file.source.limits.floor_count,
        )
    )
    if not any(judgement.effect == Effect.REJECT for judgement in judgements):
        judgements += judge_volume(context.connection, file)
    if wrong_year and file.mode == "bulk":
        judgements.append(wrong_year)
    newer = context.connection.execute(
        "select max(exported_at) from landing.files inner join landing.cycle_files using (file_id) "
        "where source_id = ? and feed = ? and exported_at > ? "
        "and ? not in (select file_id from landing.cycle_files)",
        [file.source.source_id, file.feed.feed, file.exported_at, file.file_id],
    ).fetchone()
    if newer and newer[0]:
        judgements.append(
            Judgement(
                "ARRIVED_LATE",
                f"The export of {iso(newer[0])} was processed before this older one came; it "
                "changes only what it is the newest for.",
                Effect.NOTE,
            )
        )
    return judgements


def _verdict(judgements: list[Judgement]) -> str:
    worst = max((judgement.effect for judgement in judgements), default=Effect.NOTE)
    return {Effect.REJECT: "rejected", Effect.HOLD: "held"}.get(worst, "accepted")


def _add_file(context: Context, row: dict[str, Any]) -> FileReport:
    ledger.put(
        context.connection,
        "files",
        {"job_id": context.job_id, "are_removals_held": False} | row,
    )
    note(
        context,
        f"file_{row['verdict']}",
        row["file_id"],
        f"{row['sha256']} {row['code'] or ''}".rstrip(),
    )
    return FileReport(
        file_id=row["file_id"],
        source_id=row["source_id"],
        delivery_name=row["delivery_name"],
        file_name=row["file_name"],
        feed=row.get("feed"),
        verdict=row["verdict"],
        are_removals_held=row.get("are_removals_held", False),
        code=row["code"],
        detail=row["detail"],
        record_count=row.get("record_count"),
        malformed_count=row.get("malformed_count"),
    )


def find(context: Context, file_id: str | None, code: str, detail: str) -> None:
    """Append a finding of this landing."""
    ledger.add_finding(
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

"""Landing: from the inbox to raw tables, untouched, with a verdict for every file.

One delivery is one transaction: its ledger entries and its rows are there together or not at all.
The loader judges files; records are judged later, by dbt.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from rollcall import ledger
from rollcall.clock import iso
from rollcall.columns import record_batches
from rollcall.deliveries import (
    Entry,
    Member,
    Opened,
    Refusal,
    export_time,
    open_delivery,
    read_inbox,
)
from rollcall.errors import RollcallError
from rollcall.framing import Framer, Malformed, leading_fields
from rollcall.home import Home
from rollcall.layouts import Contracts, Layout, Source
from rollcall.verdicts import (
    MANIFEST,
    MODE_COLUMNS,
    Manifest,
    Readable,
    check_manifest,
    declared_mode,
    effective_mode,
    feed_by_name,
    judge_members,
    read_manifest,
    warnings_of,
)


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file, for people and for `--json`."""

    source_id: str
    delivery_name: str
    file_name: str
    feed: str | None
    verdict: str
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
        """Whether a person should look: a file was refused or the inbox holds strangers."""
        return bool(self.unknown) or any(report.verdict != "accepted" for report in self.files)


@dataclass(frozen=True, slots=True)
class _Context:
    """What every step of one landing needs."""

    connection: duckdb.DuckDBPyConnection
    contracts: Contracts
    home: Home
    job_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class _Delivery:
    """A delivery being landed."""

    delivery_id: str
    entry: Entry
    source: Source
    exported_at: datetime | None
    opened: Opened


def land(
    home: Home,
    inbox: Path,
    contracts: Contracts,
    at: datetime,
    *,
    exported_at: datetime | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> LandReport:
    """Land what is new in the inbox; what was landed before is recognised and left.

    Args:
        home: the district's home, locked by the caller.
        inbox: folder with one folder per source.
        contracts: sources, feeds and layouts.
        at: the moment of landing, UTC.
        exported_at: export boundary given by hand for every delivery of this landing.
        say: told one line per delivery, for progress.

    Raises:
        UsageError: inbox or home cannot be used.
        BusyError: the landing database stays open elsewhere.
    """
    found = read_inbox(inbox, frozenset(contracts.sources))
    report = LandReport(left_alone=list(found.left_alone), unknown=list(found.unknown))
    with home.landing(say=say) as connection:
        ledger.prepare(connection, contracts)
        report.job_id = ledger.next_job(connection)
        context = _Context(connection, contracts, home, report.job_id, at)
        known = _known_entries(connection)
        fresh = []
        for entry in found.entries:
            if exported_at is None and known.get(str(entry.path.resolve())) == entry.signature:
                report.deliveries_again += 1
            else:
                fresh.append((_boundary(context, entry, exported_at), entry))
        fresh.sort(key=lambda pair: (pair[0] or datetime.max, pair[1].source_id, pair[1].name))
        for boundary, entry in fresh:
            say(f"{entry.source_id}/{entry.name}")
            _land_entry(context, entry, boundary, report)
        if found.entries:
            _note(
                context,
                "landed",
                str(inbox.name),
                f"landed={report.deliveries_landed} refused={report.deliveries_refused} "
                f"again={report.deliveries_again}",
            )
    return report


def _known_entries(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    rows = connection.execute("select path, signature from landing.inbox_entries").fetchall()
    return dict(rows)


def _boundary(context: _Context, entry: Entry, by_hand: datetime | None) -> datetime | None:
    source = context.contracts.sources[entry.source_id]
    return by_hand or export_time(source, entry.name, context.at)


def _land_entry(
    context: _Context, entry: Entry, boundary: datetime | None, report: LandReport
) -> None:
    opened = open_delivery(entry, context.home)
    if opened is None:
        report.left_alone.append(f"{entry.source_id}/{entry.name}: still being written")
        return
    source = context.contracts.sources[entry.source_id]
    delivery_id = _identifier(source.source_id, iso(boundary), opened.content_sha256)
    delivery = _Delivery(delivery_id, entry, source, boundary, opened)
    try:
        with ledger.transaction(context.connection):
            if _is_landed(context, delivery_id):
                report.deliveries_again += 1
            else:
                refusal = opened.refusal or _refusal(context, delivery)
                if refusal:
                    report.deliveries_refused += 1
                    report.files.append(_refuse_delivery(context, delivery, refusal))
                else:
                    report.deliveries_landed += 1
                    files, findings = _land_delivery(context, delivery)
                    report.files.extend(files)
                    report.findings.extend(findings)
            context.connection.execute(
                "insert or replace into landing.inbox_entries values (?, ?, ?)",
                [str(entry.path.resolve()), entry.signature, delivery_id],
            )
    finally:
        for member in opened.members:
            if member.path.parent == context.home.spool:
                member.path.unlink(missing_ok=True)


def _identifier(*parts: str) -> str:
    """Make an identifier that depends on what is identified, never on the order of arrival."""
    return ledger.event_hash("", parts)[:16]


def _is_landed(context: _Context, delivery_id: str) -> bool:
    found = context.connection.execute(
        "select 1 from landing.deliveries where delivery_id = ?", [delivery_id]
    ).fetchone()
    return found is not None


def _refusal(context: _Context, delivery: _Delivery) -> Refusal | None:
    """Refuse a delivery without a boundary, or one whose boundary holds other bytes already."""
    if delivery.exported_at is None:
        return Refusal(
            "EXPORT_TIME_UNKNOWN",
            f"The name '{delivery.entry.name}' holds no export time as sources.csv expects it "
            f"from {delivery.source.source_id}; rename it, or land it with --exported-at.",
        )
    feeds = {
        feed.feed
        for member in delivery.opened.members
        if (feed := feed_by_name(context.contracts, delivery.source, delivery.entry.kind, member))
    } - {MANIFEST}
    earlier = context.connection.execute(
        "select distinct delivery_name, feed from landing.files "
        "where source_id = ? and exported_at = ? and verdict <> 'rejected' and feed is not null "
        "order by all",
        [delivery.source.source_id, delivery.exported_at],
    ).fetchall()
    for name, feed in earlier:
        if feed in feeds:
            return Refusal(
                "DELIVERY_CONFLICT",
                f"'{name}' already brought {feed} for the export of "
                f"{iso(delivery.exported_at)}, with other bytes.",
            )
    return None


def _refuse_delivery(context: _Context, delivery: _Delivery, refusal: Refusal) -> FileReport:
    _add_delivery(context, delivery, "rejected", refusal)
    opened = delivery.opened
    sha256 = opened.archive_sha256 or opened.content_sha256
    return _add_file(
        context,
        delivery,
        file_name=delivery.entry.name,
        sha256=sha256,
        byte_count=opened.byte_count,
        verdict="rejected",
        code=refusal.code,
        detail=refusal.detail,
    )


def _add_delivery(
    context: _Context, delivery: _Delivery, verdict: str, refusal: Refusal | None
) -> None:
    ledger.add(
        context.connection,
        "deliveries",
        {
            "delivery_id": delivery.delivery_id,
            "job_id": context.job_id,
            "source_id": delivery.source.source_id,
            "delivery_name": delivery.entry.name,
            "container": delivery.entry.kind,
            "exported_at": delivery.exported_at,
            "content_sha256": delivery.opened.content_sha256,
            "archive_sha256": delivery.opened.archive_sha256,
            "byte_count": delivery.opened.byte_count,
            "verdict": verdict,
            "code": refusal.code if refusal else None,
            "detail": refusal.detail if refusal else None,
            "landed_at": context.at,
        },
    )
    _note(
        context,
        f"delivery_{verdict}",
        delivery.delivery_id,
        f"{delivery.source.source_id} {iso(delivery.exported_at)} "
        f"{delivery.opened.content_sha256} {refusal.code if refusal else ''}".rstrip(),
    )


def _land_delivery(context: _Context, delivery: _Delivery) -> tuple[list[FileReport], list[str]]:
    _add_delivery(context, delivery, "accepted", None)
    judged = judge_members(
        context.contracts, delivery.source, delivery.entry.kind, delivery.opened.members
    )
    manifest = read_manifest(judged)
    findings: list[str] = []
    reports = []
    for member, outcome in judged:
        if isinstance(outcome, Refusal):
            reports.append(_refuse_file(context, delivery, member, outcome))
        else:
            file_report, file_findings = _land_file(context, delivery, outcome, manifest)
            reports.append(file_report)
            findings.extend(file_findings)
    where = f"{delivery.source.source_id}/{delivery.entry.name}"
    for code, sentence in check_manifest(delivery.entry.kind, judged, manifest):
        _find(context, None, code, f"{where}: {sentence}")
        findings.append(f"{where}: {sentence}")
    return reports, findings


def _refuse_file(
    context: _Context, delivery: _Delivery, member: Member, refusal: Refusal
) -> FileReport:
    feed = feed_by_name(context.contracts, delivery.source, delivery.entry.kind, member)
    return _add_file(
        context,
        delivery,
        file_name=member.name,
        feed=feed.feed if feed else None,
        sha256=member.sha256,
        byte_count=member.byte_count,
        verdict="rejected",
        code=refusal.code,
        detail=refusal.detail,
    )


def _land_file(
    context: _Context, delivery: _Delivery, readable: Readable, manifest: Manifest | None
) -> tuple[FileReport, list[str]]:
    member, layout = readable.member, readable.layout
    file_id = _file_id(delivery, member.name, member.sha256)
    with member.path.open("rb") as stream:
        framer = Framer(stream, encoding=delivery.source.encoding)
        malformed = _insert_records(context, file_id, readable, framer)
    keys = _add_malformed(context, file_id, member, layout, malformed, delivery.source.encoding)
    declared = declared_mode(readable, manifest)
    rows_mode = _mode_of_rows(context, file_id, layout)
    mode = effective_mode(declared, rows_mode, delivery.source.mode_authority)
    warnings = list(warnings_of(readable, framer, manifest, declared, rows_mode, mode, keys))
    codes = [code for code, _ in warnings]
    report = _add_file(
        context,
        delivery,
        file_name=member.name,
        feed=readable.feed.feed,
        layout_version=layout.version,
        raw_table=layout.raw_table,
        declared_mode=declared,
        mode=mode,
        are_removals_held=mode == "bulk" and bool({"KEY_UNREADABLE", "NO_RECORDS"} & set(codes)),
        sha256=member.sha256,
        byte_count=member.byte_count,
        encoding=delivery.source.encoding,
        record_count=framer.record_count,
        malformed_count=framer.malformed_count,
        blank_line_count=framer.blank_line_count,
        verdict="accepted",
        code=codes[0] if codes else None,
        detail=" ".join(detail for _, detail in warnings) or None,
    )
    for code, detail in warnings:
        _find(context, file_id, code, detail)
    where = f"{delivery.source.source_id}/{delivery.entry.name}/{member.name}"
    return report, [f"{where}: {detail}" for _, detail in warnings]


def _file_id(delivery: _Delivery, file_name: str, sha256: str) -> str:
    return _identifier(delivery.delivery_id, file_name, sha256)


def _insert_records(
    context: _Context, file_id: str, readable: Readable, framer: Framer
) -> list[Malformed]:
    """Stream the well-formed records into the raw table; return the malformed ones."""
    malformed: list[Malformed] = []
    names = [column.name for column in readable.layout.columns]
    extra = readable.metadata_columns
    batches = record_batches(framer, malformed)
    context.connection.register("incoming_records", batches)
    positions = [f'"c{position}"' for position in range(len(names) + len(extra))]
    metadata = "null"
    if extra:
        keys = ", ".join(_literal(name) for name in extra)
        metadata = f"map([{keys}], [{', '.join(positions[len(names) :])}])"
    targets = ", ".join(f'"{name}"' for name in names)
    inserted = context.connection.execute(
        f"insert into {readable.layout.raw_table} "  # noqa: S608
        f"({', '.join(ledger.LINEAGE_COLUMNS)}, {targets}, metadata) "
        f"select {_literal(file_id)}, record_number, line_number, byte_offset, "
        f"{', '.join(positions[: len(names)])}, {metadata} from incoming_records"
    ).fetchone()
    context.connection.unregister("incoming_records")
    well_formed = framer.record_count - framer.malformed_count
    if inserted is None or inserted[0] != well_formed:
        raise RollcallError(
            f"{readable.member.name}: {well_formed} well-formed records were framed but "
            f"{inserted[0] if inserted else 0} were stored; nothing of this delivery was kept."
        )
    return malformed


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _add_malformed(
    context: _Context,
    file_id: str,
    member: Member,
    layout: Layout,
    malformed: list[Malformed],
    encoding: str,
) -> list[str | None]:
    """Record where each malformed record stands; return the keys that could still be read."""
    if not malformed:
        return []
    keys = list(_readable_keys(member, layout, malformed, encoding))
    rows = pa.table(
        {
            "file_id": [file_id] * len(malformed),
            "record_number": [record.record_number for record in malformed],
            "line_number": [record.line_number for record in malformed],
            "byte_offset": [record.byte_offset for record in malformed],
            "byte_length": [record.byte_length for record in malformed],
            "code": [str(record.code) for record in malformed],
            "record_key": pa.array(keys, pa.string()),
        }
    )
    context.connection.register("incoming_malformed", rows)
    context.connection.execute(
        "insert into landing.malformed_records by name select * from incoming_malformed"
    )
    context.connection.unregister("incoming_malformed")
    return keys


def _readable_keys(
    member: Member, layout: Layout, malformed: list[Malformed], encoding: str
) -> Iterator[str | None]:
    """Yield the key of each malformed record, or None where the defect comes before it."""
    if len(layout.key_positions) != 1:
        yield from (None for _ in malformed)
        return
    position = layout.key_positions[0]
    with member.path.open("rb") as stream:
        for record in malformed:
            stream.seek(record.byte_offset)
            fields = leading_fields(stream.read(min(record.byte_length, 1 << 16)), encoding)
            key = fields[position].strip() if len(fields) > position else ""
            yield key or None


def _mode_of_rows(context: _Context, file_id: str, layout: Layout) -> str | None:
    """Say what the rows say: `delta` when any is dated or has a status, `bulk` when none has.

    OneRoster leaves both columns blank in every row of a bulk file. None without rows or columns.
    """
    names = {column.name for column in layout.columns}
    if not names.issuperset(MODE_COLUMNS):
        return None
    filled = " or ".join(f"nullif(trim(\"{name}\"), '') is not null" for name in MODE_COLUMNS)
    row = context.connection.execute(
        f"select count(*), count(*) filter ({filled}) from {layout.raw_table} where file_id = ?",  # noqa: S608
        [file_id],
    ).fetchone()
    if row is None or not row[0]:
        return None
    return "delta" if row[1] else "bulk"


def _add_file(
    context: _Context,
    delivery: _Delivery,
    *,
    file_name: str,
    sha256: str,
    verdict: str,
    code: str | None,
    detail: str | None,
    **more: Any,
) -> FileReport:
    file_id = _file_id(delivery, file_name, sha256)
    ledger.add(
        context.connection,
        "files",
        {
            "file_id": file_id,
            "delivery_id": delivery.delivery_id,
            "job_id": context.job_id,
            "source_id": delivery.source.source_id,
            "delivery_name": delivery.entry.name,
            "file_name": file_name,
            "sha256": sha256,
            "verdict": verdict,
            "code": code,
            "detail": detail,
            "exported_at": delivery.exported_at,
            "landed_at": context.at,
            "are_removals_held": False,
        }
        | more,
    )
    _note(context, f"file_{verdict}", file_id, f"{sha256} {code or ''}".rstrip())
    return FileReport(
        source_id=delivery.source.source_id,
        delivery_name=delivery.entry.name,
        file_name=file_name,
        feed=more.get("feed"),
        verdict=verdict,
        code=code,
        detail=detail,
        record_count=more.get("record_count"),
        malformed_count=more.get("malformed_count"),
    )


def _find(context: _Context, file_id: str | None, code: str, detail: str) -> None:
    ledger.add_finding(
        context.connection,
        job_id=context.job_id,
        file_id=file_id,
        code=code,
        detail=detail,
        at=context.at,
    )


def _note(context: _Context, kind: str, subject: str, detail: str) -> None:
    ledger.note(
        context.connection,
        job_id=context.job_id,
        at=context.at,
        kind=kind,
        subject=subject,
        detail=detail,
    )

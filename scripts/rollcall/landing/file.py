"""A file: its records stored, its verdict taken once and recorded with the reason."""

from typing import Any

import duckdb

from rollcall.clock import iso
from rollcall.contracts.layouts import PLAIN, Framing
from rollcall.contracts.sources import Feed
from rollcall.csvfile.framing import Framer, HeaderError
from rollcall.csvfile.opening import open_records
from rollcall.landing import raw
from rollcall.landing.container import Member, Rejection
from rollcall.landing.job import Context, Delivery, FileReport, find, note
from rollcall.landing.turn_of_term import StoredFile
from rollcall.landing.verdicts import (
    Effect,
    Judgement,
    Manifest,
    Readable,
    declared_mode,
    effective_mode,
    feed_by_name,
    judge_structure,
    looks_unlike_csv,
)
from rollcall.landing.volume_checks import judge_school_year, judge_volume, may_remove
from rollcall.ledger import ledger


def reject_file(
    context: Context, delivery: Delivery, member: Member, rejection: Rejection
) -> FileReport:
    """Record a file that is rejected, with as many records as can be counted."""
    feed = feed_of(context, delivery, member)
    framed = context.contracts.framed(delivery.source, feed, member.name)
    framing = framed[-1].framing if framed else PLAIN
    counted = _count_records(delivery, member, framing)
    return _reject(context, delivery, member, rejection, counted)


def _reject_malformed(
    context: Context, delivery: Delivery, member: Member, framer: Framer
) -> FileReport:
    """Record a file with too many malformed or structural records to keep an entry of each."""
    most = delivery.source.limits.max_malformed_records
    count, what = framer.malformed_count, "malformed"
    if count <= most:
        count, what = framer.structural_count, "structural, as framings.csv has them"
    rejection = Rejection(
        "TOO_MANY_MALFORMED",
        f"{count} of {framer.record_count} records are {what}; no more than "
        f"{most:.0f} are looked at one by one.",
    )
    return _reject(context, delivery, member, rejection, framer)


def _reject(
    context: Context,
    delivery: Delivery,
    member: Member,
    rejection: Rejection,
    framer: Framer | None,
) -> FileReport:
    feed = feed_of(context, delivery, member)
    identity = _identity(delivery, member)
    find(context, identity["file_id"], rejection.code, rejection.detail)
    return add_file(
        context,
        identity
        | {
            "feed": feed.feed if feed else None,
            "record_count": framer.record_count if framer else None,
            "malformed_count": framer.malformed_count if framer else None,
            "blank_line_count": framer.blank_line_count if framer else None,
            "verdict": "rejected",
            "code": rejection.code,
            "detail": rejection.detail,
        },
    )


def _count_records(delivery: Delivery, member: Member, framing: Framing) -> Framer | None:
    """Frame a rejected file by the width of its own header, so that its records are counted too.

    None where there is no header to go by.
    """
    if framing.kind != "xlsx" and looks_unlike_csv(member):
        return None
    source = delivery.source
    most = int(source.limits.max_record_bytes)
    try:
        with member.path.open("rb") as stream:
            framer = open_records(stream, source.encoding, framing, most)
            for _ in framer:
                pass
    except HeaderError:
        return None
    return framer


def _identity(delivery: Delivery, member: Member) -> dict[str, Any]:
    """What identifies a file, whatever becomes of it: the same in every data directory."""
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
) -> tuple[FileReport, Judgement | None]:
    """Store and judge one file.

    Returns:
        The report, and what the file says of the school year of the whole delivery.
    """
    connection, source = context.connection, delivery.source
    member, layout = readable.member, readable.layout
    identity = _identity(delivery, member)
    file_id = identity["file_id"]
    with member.path.open("rb") as stream:
        framer = open_records(
            stream, source.encoding, layout.framing, int(source.limits.max_record_bytes)
        )
        most = int(source.limits.max_malformed_records)
        stored = raw.store(connection, file_id, readable, framer, most)
    if stored.is_over_limit:
        raw.remove(connection, file_id, layout.raw_table)
        return _reject_malformed(context, delivery, member, framer), wrong_year
    declared = declared_mode(readable, manifest)
    rows_mode = raw.mode_of_rows(connection, file_id, layout.raw_table, set(layout.raw_columns))
    mode = effective_mode(declared, rows_mode, source)
    file = StoredFile(
        file_id,
        source,
        readable.feed,
        layout,
        mode,
        delivery.exported_at,
        framer.record_count - framer.structural_count,
        stored.hidden_key_count,
    )
    judgements = list(
        judge_structure(
            readable,
            framer,
            manifest,
            declared,
            rows_mode,
            mode,
            source,
            is_alone=delivery.container in ("csv", "gzip"),
            is_cut_short=stored.is_cut_short,
        )
    )
    if layout.is_staged:
        wrong_year = next(judge_school_year(connection, file), wrong_year)
        judgements += _judge_records(context, file, wrong_year)
        judgements += _judge_times(context, file)
    verdict = _verdict(judgements)
    if verdict == "rejected":
        raw.remove(connection, file_id, layout.raw_table)
    judgements.sort(key=lambda judgement: -judgement.effect)
    report = add_file(
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
            "encoding": framer.encoding,
            "record_count": framer.record_count,
            "malformed_count": framer.malformed_count,
            "blank_line_count": framer.blank_line_count,
            "verdict": verdict,
            "code": judgements[0].code if judgements else None,
            "detail": " ".join(judgement.sentence for judgement in judgements) or None,
        },
        framer.structural_count,
    )
    new = [item for item in judgements if not _is_known(connection, identity, report.feed, item)]
    for judgement in new:
        find(context, file_id, judgement.code, judgement.sentence)
    return report, wrong_year


def _is_known(
    connection: duckdb.DuckDBPyConnection,
    identity: dict[str, Any],
    feed: str | None,
    judgement: Judgement,
) -> bool:
    """Say whether a settled matter has been reported of the source and feed before."""
    return judgement.is_settled and bool(
        connection.execute(
            "select 1 from landing.findings inner join landing.files using (file_id) "
            "where source_id = ? and feed = ? and findings.code = ? and findings.detail = ?",
            [identity["source_id"], feed, judgement.code, judgement.sentence],
        ).fetchall()
    )


def _judge_records(
    context: Context, file: StoredFile, wrong_year: Judgement | None
) -> list[Judgement]:
    """Judge a staged file by how much it changes, and by when it came; its records are dbt's."""
    judgements = list(judge_volume(context.connection, file))
    if context.last_good_flaw and may_remove(context.connection, file):
        judgements.append(
            Judgement(
                "REMOVALS_UNCHECKED",
                "How many records it would remove could not be counted, because the last good "
                "warehouse could not be read.",
                Effect.HOLD_REMOVALS,
            )
        )
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


def _judge_times(context: Context, file: StoredFile) -> list[Judgement]:
    """Say once of a source and feed that times name no zone, unless the source declares one."""
    if (
        file.source.naive_times
        or context.connection.execute(
            "select 1 from landing.findings inner join landing.files using (file_id) "
            "where findings.code = 'TIMES_WITHOUT_ZONE' and source_id = ? and feed = ? limit 1",
            [file.source.source_id, file.feed.feed],
        ).fetchone()
    ):
        return []
    return [
        Judgement(
            "TIMES_WITHOUT_ZONE",
            f"{count} times of '{column}', the first on line {line}, name no time zone and are "
            f"read as UTC; set naive_times of {file.source.source_id} in sources.csv to utc, or to "
            f"local when {file.source.time_zone} is meant.",
            Effect.NOTE,
        )
        for column, count, line in raw.times_without_zone(
            context.connection, file.file_id, file.layout
        )
    ]


def _verdict(judgements: list[Judgement]) -> str:
    worst = max((judgement.effect for judgement in judgements), default=Effect.NOTE)
    return {Effect.REJECT: "rejected", Effect.HOLD: "held"}.get(worst, "accepted")


def add_file(context: Context, row: dict[str, Any], structural_count: int = 0) -> FileReport:
    """Add the entry of a file to the ledger, and the event that tells of it."""
    ledger.put(
        context.connection,
        "files",
        {"job_id": context.job_id, "are_removals_held": False} | row,
        may_be_there=True,
    )
    note(
        context,
        f"file_{row['verdict']}",
        row["file_id"],
        f"{row['sha256']} {row['code'] or ''}".rstrip(),
    )
    return file_report(row, structural_count)


def file_report(row: dict[str, Any], structural_count: int = 0) -> FileReport:
    """Report a file by its entry in the ledger."""
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
        structural_count=structural_count,
    )


def feed_of(context: Context, delivery: Delivery, member: Member) -> Feed | None:
    """Find the feed of a member by its name."""
    return feed_by_name(context.contracts, delivery.source, delivery.container, member)
